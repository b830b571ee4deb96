import type { Mode, Params } from '@attune/core'
import { type Tensor, add, expandDims, range } from '@tensorflow/tfjs-core'
import { attentionBias } from '../attention/attention-bias.js'
import { attention, attentionBlock } from '../attention/attention.js'
import { activation } from '../layers/activation.js'
import { dropout, modeAt } from '../layers/dropout.js'
import { embedding } from '../layers/embedding.js'
import { layerNorm } from '../layers/layer-norm.js'
import { linear } from '../layers/linear.js'

/** Folder in which the decoder is saved, and prefix of the names of its parameters. */
export const VECTOR_DECODER = '9_Decoder'

/** Sizes of the decoder. */
export interface VectorDecoderSize {
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  /** Width of the vectors that it reads. */
  readonly width: number
  readonly vocabulary: number
  /** Maximum number of tokens. */
  readonly length: number
}

/** Epsilon of the norms, and activation of the feed-forward layers, as in BERT. */
const [EPSILON, GELU] = [1e-12, 'gelu'] as const

const at = (layer: number): string => `${VECTOR_DECODER}.layer.${layer}`

const dense = (name: string, outputs: number, inputs: number): Record<string, readonly number[]> => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
})

/** Shapes of the parameters, named as in a BERT decoder of transformers. */
export function vectorDecoderShapes({ layers, hidden, width, vocabulary, length }: VectorDecoderSize) {
  const norm = (name: string) => ({
    [`${name}.LayerNorm.weight`]: [hidden],
    [`${name}.LayerNorm.bias`]: [hidden],
  })
  const block = (name: string, projections: readonly string[], inputs: number) => ({
    ...Object.assign({}, ...projections.map((each) => dense(`${name}.self.${each}`, hidden, inputs))),
    ...dense(`${name}.output.dense`, hidden, hidden),
    ...norm(`${name}.output`),
  })
  const layer = (i: number) => ({
    ...block(`${at(i)}.attention`, ['query', 'key', 'value'], hidden),
    ...block(`${at(i)}.crossattention`, ['value'], width),
    ...dense(`${at(i)}.intermediate.dense`, 4 * hidden, hidden),
    ...dense(`${at(i)}.output.dense`, hidden, 4 * hidden),
    ...norm(`${at(i)}.output`),
  })
  return {
    [`${VECTOR_DECODER}.embeddings.position_embeddings.weight`]: [length, hidden],
    ...norm(`${VECTOR_DECODER}.embeddings`),
    ...Object.assign({}, ...Array.from({ length: layers }, (_, i) => layer(i))),
    ...dense(`${VECTOR_DECODER}.predictions.transform.dense`, hidden, hidden),
    ...norm(`${VECTOR_DECODER}.predictions.transform`),
    [`${VECTOR_DECODER}.predictions.bias`]: [vocabulary],
  } as Record<string, readonly number[]>
}

/** Inputs of the decoder. */
export interface VectorDecoderInputs {
  /** Vector of each text, `[batch, width]`. */
  readonly vectors: Tensor
  /** Tokens of the texts without the last one, int32 `[batch, length]`, and their padding mask. */
  readonly ids: Tensor
  readonly attentionMask: Tensor
  /** Name of the encoder's word embeddings, without `.weight`. */
  readonly words: string
}

/** Settings of the decoder that are not shapes. */
type Settings = Pick<VectorDecoderSize, 'layers' | 'heads'> & { readonly rate: number | Tensor }

/**
 * One post-norm layer, `[batch, length, hidden]` to the same shape: causal self-attention, cross-attention to one vector per text, feed-forward.
 * Attention over a single vector has the weight 1, so that it is the vector's value, and has neither queries nor keys.
 */
function layer(params: Params, name: string, x: Tensor, vectors: Tensor, bias: Tensor, o: Settings, mode: Mode) {
  const project = (part: string, y: Tensor): Tensor => linear(params, `${name}.${part}`, y)
  const added = (to: Tensor, part: string, y: Tensor, index: number): Tensor => {
    const output = dropout(project(`${part}.dense`, y), o.rate, modeAt(mode, index))
    return layerNorm(params, `${name}.${part}.LayerNorm`, add(to, output), EPSILON)
  }
  const mixed = attentionBlock(params, `${name}.attention`, x, (y) => {
    const [q, k, v] = ['query', 'key', 'value'].map((part) => project(`attention.self.${part}`, y)) as [
      Tensor,
      Tensor,
      Tensor,
    ]
    return attention({ q, k, v, bias }, o.heads, o.rate, modeAt(mode, 0), { pattern: { causal: true } })
  })
  const attended = added(x, 'attention.output', mixed, 1)
  const read = added(attended, 'crossattention.output', project('crossattention.self.value', vectors), 2)
  return added(read, 'output', activation(GELU)(project('intermediate.dense', read)), 3)
}

/**
 * States before the output embeddings, `[batch, length, hidden]`, of a BERT decoder that reads nothing of a text but its vector and the
 * preceding tokens. The word embeddings are those of the encoder.
 */
export function vectorDecoderStates(params: Params, inputs: VectorDecoderInputs, o: Settings, mode: Mode): Tensor {
  const { ids, attentionMask } = inputs
  const positions = range(0, ids.shape[1] as number, 1, 'int32')
  const embedded = add(
    embedding(params, inputs.words, ids), // [batch, length, hidden]
    embedding(params, `${VECTOR_DECODER}.embeddings.position_embeddings`, positions), // [length, hidden]
  )
  const normed = layerNorm(params, `${VECTOR_DECODER}.embeddings.LayerNorm`, embedded, EPSILON)
  const bias = attentionBias({ inputIds: ids, attentionMask, tokenTypeIds: ids }, { causal: true })
  const vectors = expandDims(inputs.vectors, 1) // [batch, 1, width]
  let states = dropout(normed, o.rate, modeAt(mode, 0))
  for (let i = 0; i < o.layers; i++) states = layer(params, at(i), states, vectors, bias, o, modeAt(mode, i + 1))
  const transform = `${VECTOR_DECODER}.predictions.transform`
  const dense = activation(GELU)(linear(params, `${transform}.dense`, states))
  return layerNorm(params, `${transform}.LayerNorm`, dense, EPSILON)
}
