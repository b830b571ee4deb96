import '@tensorflow/tfjs'
import { describe, expect, it } from '@jest/globals'
import { type TextInputs, key } from '@attune/core'
import { type Tensor, tensor2d, tidy } from '@tensorflow/tfjs-core'
import { BERT_LAYER as NAMES, encoderLayerShapes } from './encoder-layer.js'
import { type EncoderFamily, type EncoderSizes, encoderModel } from './encoder-model.js'

const SIZES: EncoderSizes = {
  vocabSize: 11,
  hiddenSize: 8,
  numHiddenLayers: 4,
  numAttentionHeads: 2,
  intermediateSize: 16,
  hiddenAct: 'gelu',
  hiddenDropoutProb: 0,
  attentionProbsDropoutProb: 0,
  maxPositionEmbeddings: 6,
  initializerRange: 0.5,
  layerNormEps: 1e-12,
  padTokenId: 2,
}
const FAMILY: EncoderFamily = { prefix: 'x', pooler: { layer: 'top', activation: 'linear' } }

const ids = (rows: number[][]): Tensor => tensor2d(rows, undefined, 'int32')
const inputs = (): TextInputs => ({
  inputIds: ids([[4, 5, 2]]),
  attentionMask: ids([[1, 1, 0]]),
  tokenTypeIds: ids([[0, 1, 0]]),
})
const tidied = (body: () => void) => (): void => void tidy(body)

describe('encoderModel', () => {
  it(
    'has the parameters of its layers, once for layers that share them',
    tidied(() => {
      const shared = { ...FAMILY, layerAt: (i: number) => `x.group.${i % 2}`, projection: 'x.wider' }
      const model = encoderModel({ ...SIZES, embeddingSize: 5, typeVocabSize: 3 }, shared)
      const shapes = Object.entries(model.init(key(1))).map(([name, { shape }]) => [name, shape])
      const layer = (i: number) => Object.entries(encoderLayerShapes(`x.group.${i}`, NAMES, 8, 16))
      expect(shapes).toEqual([
        ['x.embeddings.word_embeddings.weight', [11, 5]],
        ['x.embeddings.position_embeddings.weight', [6, 5]],
        ['x.embeddings.token_type_embeddings.weight', [3, 5]],
        ['x.embeddings.LayerNorm.weight', [5]],
        ['x.embeddings.LayerNorm.bias', [5]],
        ['x.wider.weight', [8, 5]],
        ['x.wider.bias', [8]],
        ...layer(0),
        ...layer(1),
        ['top.weight', [8, 8]],
        ['top.bias', [8]],
      ])
      expect(model.layers.map(({ name, prefixes }) => `${name}: ${prefixes.join(' ')}`)).toEqual([
        'embeddings: x.embeddings. x.wider.',
        'layer 0: x.group.0.',
        'layer 1: x.group.1.',
        'pooler: top.',
      ])
    }),
  )

  it(
    'initializes the embeddings of the padding token and of its position to zero',
    tidied(() => {
      const params = encoderModel(SIZES, { ...FAMILY, paddingPosition: 1 }).init(key(1))
      const zeroRows = (table: string): readonly number[] =>
        (params[`x.embeddings.${table}.weight`]!.arraySync() as number[][]).flatMap((row, i) =>
          row.every((value) => value === 0) ? [i] : [],
        )
      expect([zeroRows('word_embeddings'), zeroRows('position_embeddings')]).toEqual([[2], [1]])
    }),
  )

  it(
    'reads token types only if it has their embeddings, and its own positions',
    tidied(() => {
      const differs = (sizes: EncoderSizes, family: EncoderFamily, changed: Record<string, Tensor>): boolean => {
        const model = encoderModel(sizes, family)
        const params = model.init(key(3))
        const pooled = (given: TextInputs) =>
          model.forward(params, given, { training: false }).pooled.dataSync().join(' ')
        return pooled(inputs()) !== pooled({ ...inputs(), ...changed })
      }
      const [types, positions] = [{ tokenTypeIds: ids([[1, 1, 0]]) }, { positionIds: ids([[3, 4, 5]]) }]
      expect(differs(SIZES, FAMILY, types)).toBe(false)
      expect(differs({ ...SIZES, typeVocabSize: 2 }, FAMILY, types)).toBe(true)
      expect(differs(SIZES, FAMILY, positions)).toBe(true)
      expect(differs(SIZES, { ...FAMILY, positions: () => ids([[0, 1, 2]]) }, positions)).toBe(false)
    }),
  )
})
