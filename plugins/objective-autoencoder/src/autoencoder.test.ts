import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type EncoderOutputs,
  type HostArray,
  type Model,
  type Objective,
  type OnDevice,
  type Params,
  type TextInputs,
  key,
  stream,
} from '@attune/core'
import {
  describeObjective,
  expectClose,
  floats,
  gradientsOf,
  referenceEngine,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { decodeSafetensors } from '@attune/weights'
import { VECTOR_DECODER, BERT_LAYER, attentionBias, embedding, encoderLayer, layerNorm } from '@attune/nn'
import { type Scalar, add, div, mul, range, slice, squeeze, sum, zerosLike } from '@tensorflow/tfjs-core'
import { autoencoder } from './autoencoder.js'

/** With weights so large that the norms of the decoder are smooth at the step size of finite differences. */
const model: Model = {
  ...tinyModel(),
  initializerRange: 2,
  heads: { contrastive: { architecture: 'TinyModel', tensors: {} } },
}
const tokenizer = tinyTokenizer()
const given = { model, tokenizer }

const examples = [
  { text: 'a short one' },
  { text: 'One. Two. Three.' },
  { text: 'x' },
  { text: 'a much longer text than the model takes, truncated here' },
  { text: '' },
  { text: 'lazy dogs sleep' },
]

for (const options of [{}, { decoderHeads: 2, pooling: 'mean', normalize: true }])
  describeObjective(autoencoder, { options, given, references: [], examples })

type Batches = Readonly<Record<'inputs' | 'decoder', Readonly<Record<string, HostArray>>>>
const rows = ({ values, shape }: HostArray): number[][] =>
  Array.from({ length: shape[0]! }, (_, i) =>
    Array.from(values.subarray(i * shape[1]!, (i + 1) * shape[1]!), Number).filter((id) => id !== 0),
  )

describe('objective autoencoder', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('deletes the fraction of the tokens in training, and lets the decoder predict the whole text', () => {
    const objective = autoencoder({}, given) as Objective
    const items = [objective.encode({ text: 'abcdefghij' })]
    const plain = tokenizer.encode('abcdefghij').ids
    const deleted = Array.from({ length: 20 }, (_, seed) => {
      const { inputs, decoder } = objective.collate(items, stream(key(seed))) as unknown as Batches
      expect([rows(decoder['ids']!)[0], rows(decoder['targets']!)[0]]).toEqual([plain.slice(0, -1), plain.slice(1)])
      return rows(inputs['inputIds']!)[0]!
    })
    for (const ids of deleted) expect(ids).toEqual(plain.filter((id) => ids.includes(id)))
    expect(new Set(deleted.map(({ length }) => length))).toEqual(new Set([6])) // 4 of 10 letters, first and last token
    expect(new Set(deleted.map(String)).size).toBeGreaterThan(10)
  })

  it('keeps the whole text without noise, in evaluation, and where there is nothing to delete', () => {
    const read = (text: string, options: { noiseFraction?: number }, random?: () => number) => {
      const objective = autoencoder(options, given) as Objective
      return rows(
        (objective.collate([objective.encode({ text })], random) as unknown as Batches).inputs['inputIds']!,
      )[0]
    }
    const { ids } = tokenizer.encode('abcdefghij')
    expect([read('abcdefghij', { noiseFraction: 0 }, Math.random), read('abcdefghij', {})]).toEqual([ids, ids])
    for (const text of ['', 'x']) expect(read(text, {}, Math.random)).toEqual(tokenizer.encode(text).ids)
  })

  it('has a decoder that reads nothing of a text but its vector and the preceding tokens', async () => {
    const objective = autoencoder({ decoderLayers: 2, padToMultipleOf: 1 }, given) as Objective
    const params = { ...model.init(key(1)), ...objective.init(key(2)) }
    const bestOf = async (text: string, vector: number) => {
      const batch = engine.put(objective.collate([objective.encode({ text })])) as OnDevice<never>
      const pooled = mul(engine.put({ x: floats(Array<number>(8).fill(1), [1, 1, 8]) }).x, vector)
      const outputs = { pooled: squeeze(pooled, [1]), lastHiddenState: pooled }
      const head = objective.head(params, outputs, { training: false }, batch) as never as { losses: never }
      const { losses } = await engine.read({ losses: head.losses } as never as Params)
      return Array.from(losses!.values)
    }
    const [a, b, c] = [await bestOf('abcdef', 1), await bestOf('abcxyz', 1), await bestOf('abcdef', -1)]
    expect(a.slice(0, 3)).toEqual(b.slice(0, 3))
    expect(a.slice(4)).not.toEqual(b.slice(4))
    for (const [at, loss] of c.entries()) expect([at, Math.abs(loss - a[at]!) > 1e-4]).toEqual([at, true])
  })

  it('computes only the vector of a text to predict', () => {
    const objective = autoencoder({}, given) as Objective
    const items = [objective.encodeUnlabelled({ text: 'abc' })]
    const batch = objective.collate(items)
    expect(Object.keys(batch)).toEqual(['inputs'])
    const head = { vectors: floats([1, 2, 3, 4, 5, 6, 7, 8], [1, 8]) }
    expect(objective.predict(head as never, items)).toEqual([{ embedding: [1, 2, 3, 4, 5, 6, 7, 8] }])
  })

  it('describes the encoder to sentence-transformers, which does not list the decoder', () => {
    const { files = {}, init } = autoencoder({}, given)
    expect(files['modules.json']).toMatchObject([{ path: '' }, { path: '1_Pooling' }])
    expect(files['1_Pooling/config.json']).toMatchObject({ pooling_mode_cls_token: true })
    expect(files[`${VECTOR_DECODER}/config.json`]).toMatchObject({ layers: 1, heads: 1, hidden: 8 })
    expect(Object.keys(init(key(1))).filter((name) => !name.startsWith(`${VECTOR_DECODER}.`))).toEqual([])
  })

  it('rejects heads that do not divide the hidden size, and a model with narrower word embeddings', () => {
    const narrow = { ...model.heads, 'masked-language-modeling': { architecture: '', tensors: {}, width: 4 } }
    expect(() => autoencoder({ decoderHeads: 3 }, given)).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
    expect(() => autoencoder({}, { ...given, model: { ...model, heads: narrow } })).toThrow(
      expect.objectContaining({ code: 'NO_SUCH_HEAD' }),
    )
  })
})

const golden = JSON.parse(readFileSync('golden/tsdae.json', 'utf8')) as {
  readonly source: string
  readonly texts: readonly (readonly number[])[]
  readonly deleted: readonly (readonly number[])[]
  readonly loss: number
}

/** The encoder of the golden file: BERT with two layers of two heads. */
function forward(params: Params, inputs: TextInputs): EncoderOutputs {
  const { inputIds: ids } = inputs
  const at = 'bert.embeddings'
  const words = embedding(params, `${at}.word_embeddings`, ids)
  const types = embedding(params, `${at}.token_type_embeddings`, zerosLike(ids))
  const positions = embedding(params, `${at}.position_embeddings`, range(0, ids.shape[1]!, 1, 'int32'))
  const first = layerNorm(params, `${at}.LayerNorm`, add(add(words, types), positions), 1e-12)
  const settings = { names: BERT_LAYER, heads: 2, activation: 'gelu', epsilon: 1e-12, attentionDropout: 0 }
  const dropout = { attended: 0, narrow: 0 }
  const states = [0, 1].reduce(
    (x, index) =>
      encoderLayer(
        params,
        x,
        attentionBias(inputs),
        { ...settings, dropout },
        { index, at: `bert.encoder.layer.${index}`, mode: { training: false } },
      ),
    first,
  )
  return { lastHiddenState: states, pooled: squeeze(slice(states, [0, 0, 0], [-1, 1, -1]), [1]) }
}

describe('loss of TSDAE', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it(`matches DenoisingAutoEncoderLoss of ${golden.source}, with the gradients of encoder and decoder`, async () => {
    const { tensors } = decodeSafetensors(readFileSync('golden/tsdae.safetensors'), 'tsdae.safetensors')
    const named = (start: string) =>
      Object.fromEntries(
        Object.entries(tensors)
          .filter(([name]) => name.startsWith(start))
          .map(([name, value]) => [name.slice(start.length), value]),
      ) as Record<string, HostArray>
    const bert: Model = {
      ...model,
      hiddenSize: 16,
      vocabularySize: 20,
      maximumLength: 8,
      headDropout: 0,
      wordEmbeddings: 'bert.embeddings.word_embeddings.weight',
    }
    const options = { decoderLayers: 2, decoderHeads: 2, padToMultipleOf: 1 }
    const objective = autoencoder(options, { ...given, model: bert }) as Objective
    const items = (texts: readonly (readonly number[])[]) =>
      texts.map((ids) => ({ ids, typeIds: ids.map(() => 0), length: ids.length, truncated: false, isDecoded: true }))
    const whole = objective.collate(items(golden.texts))
    const batch = engine.put({ ...whole, inputs: objective.collate(items(golden.deleted)).inputs }) as OnDevice<never>
    const params = engine.put(named('weights/')) as Params
    expect(Object.keys(objective.init(key(1))).sort()).toEqual(
      Object.keys(params)
        .filter((name) => name.startsWith(VECTOR_DECODER))
        .sort(),
    )
    const loss = (own: Params): Scalar => {
      const { inputs } = batch as { inputs: TextInputs }
      const head = objective.head(own, forward(own, inputs), { training: false }, batch)
      const { losses, weights } = objective.loss(head, batch)
      return div(sum(mul(losses, weights)), sum(weights))
    }
    const found = engine.compile((own: Params) => ({ loss: loss(own), gradients: gradientsOf(loss, own) }))(params)
    expectClose(await engine.read(found), { loss: floats([golden.loss], []), gradients: named('gradients/') }, 1e-5)
  })
})
