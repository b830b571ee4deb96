import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Model, type Params, type TextInputs, key } from '@attune/core'
import { embedding } from '@attune/nn'
import { describeModel, expectClose, integers, readModelGoldens, referenceEngine, tinyModel } from '@attune/testkit'
import { tanh } from '@tensorflow/tfjs-core'
import { inverseDocumentFrequencies, mlp } from './mlp.js'

const { mean, 'tf-idf': tfIdf, sublinear } = readModelGoldens(mlp, 'golden')

describeModel(mlp, { options: { ...mean!.options, dropout: 0.3 }, goldens: [mean!] })
describeModel(mlp, { options: { ...tfIdf!.options, dropout: 0.3 }, goldens: [tfIdf!, sublinear!] })

describeModel(mlp, {
  options: { hiddenSizes: [7, 6], dropout: 0.3, maximumLength: 20 },
  given: { encoders: [tinyModel()] },
})
describeModel(mlp, {
  options: { hiddenSizes: [7, 6], dropout: 0.3, input: 'pooled' },
  given: { encoders: [tinyModel()] },
})

describe('with an encoder', () => {
  /** An encoder whose hidden states are rows of a table: the perceptron on it must equal the one on word embeddings. */
  const table = ({ vocabSize, embeddingSize }: Record<string, unknown>): Model => ({
    ...tinyModel(),
    prefix: 'table.',
    wordEmbeddings: 'table.weight',
    hiddenSize: embeddingSize as number,
    vocabularySize: vocabSize as number,
    maximumLength: 100,
    config: { model_type: 'table', vocab_size: vocabSize },
    init: () => ({}),
    forward: (params, { inputIds }) => {
      const lastHiddenState = embedding(params, 'table', inputIds)
      return { lastHiddenState, pooled: tanh(lastHiddenState.slice([0, 0, 0], [-1, 1, -1]).squeeze([1])) }
    },
  })
  const { options, weights, cases } = mean!
  const { 'mlp.embeddings.word_embeddings.weight': words, ...rest } = weights
  const engine = referenceEngine()
  const inside = { ...rest, 'mlp.encoder.table.weight': words! }
  const outputsOf = async (
    changed: Record<string, unknown>,
    encoders = [table(options)],
    held: typeof weights = inside,
  ) => {
    await engine.start()
    const model = mlp({ ...options, ...changed }, { encoders })
    const forward = engine.compile((p: Params, inputs: TextInputs) => {
      const { lastHiddenState, pooled } = model.forward(p, inputs, { training: false })
      return { lastHiddenState, pooled }
    })
    const inputs = Object.entries(cases[0]!.inputs).map(([name, { values, shape }]) => [name, integers(values, shape)])
    return engine.read(forward(engine.put(held) as Params, engine.put(Object.fromEntries(inputs) as never)))
  }

  it(`matches word embeddings when it reads the mean hidden state, ${mean!.source}`, async () => {
    const { values, shape } = cases[0]!.outputs['lastHiddenState'] as { shape: number[]; values: number[] }
    const { lastHiddenState, pooled } = await outputsOf({})
    expectClose(lastHiddenState, { shape, dtype: 'float32', values: Float32Array.from(values) }, 1e-5)
    const plain = await outputsOf({}, [], weights)
    expectClose(pooled, plain.pooled, 1e-6)
  })

  it('applies its layers to the pooled vector of the encoder', async () => {
    const { pooled } = await outputsOf({ input: 'pooled', hiddenAct: 'tanh' })
    const { inputs } = cases[0]!
    const [rows, length] = inputs['inputIds']!.shape as [number, number]
    const tensor = (name: string) => rest[`mlp.layers.${name}`]!
    for (let row = 0; row < rows; row++) {
      const id = inputs['inputIds']!.values[row * length]!
      const width = words!.shape[1] as number
      let x = Array.from(words!.values.subarray(id * width, (id + 1) * width), Math.tanh)
      for (let i = 0; `mlp.layers.${i}.weight` in rest; i++) {
        const { shape, values } = tensor(`${i}.weight`)
        const bias = tensor(`${i}.bias`).values
        x = Array.from({ length: shape[0]! }, (_, out) => {
          const sum = x.reduce((total, one, at) => total + one * values[out * shape[1]! + at]!, bias[out]!)
          return Math.tanh(sum)
        })
      }
      const found = pooled.values.subarray(row * x.length, (row + 1) * x.length)
      for (const [i, expected] of x.entries()) expect(found[i]).toBeCloseTo(expected, 5)
    }
  })

  it('describes the encoder in config.json and to the trainer', () => {
    const encoder = tinyModel()
    const model = mlp({ hiddenSizes: [5] }, { encoders: [encoder] })
    expect(model.config).toMatchObject({
      model_type: 'mlp',
      vocab_size: 128,
      embedding_size: 8,
      encoder: encoder.config,
    })
    expect(model.encoder).toEqual({ model: encoder, prefix: 'mlp.encoder.', reads: 'lastHiddenState' })
    expect(model.maximumLength).toBe(encoder.maximumLength)
    expect(model.layers[0]).toEqual({ name: 'encoder', prefixes: ['mlp.encoder.'] })
    expect(Object.keys(model.init(key(1)))).not.toContain('mlp.embeddings.word_embeddings.weight')
  })

  it('rejects an encoder that it cannot read, and a missing encoder', () => {
    const encoders = [tinyModel()]
    for (const call of [
      () => mlp({ input: 'tf-idf', vocabSize: 1, idf: [1] }, { encoders }),
      () => mlp({}, { encoders: [...encoders, ...encoders] }),
      () => mlp({ input: 'pooled' }),
    ])
      expect(call).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
  })
})

interface IdfGolden {
  readonly source: string
  readonly vocabularySize: number
  readonly rows: readonly (readonly number[])[]
  readonly idf: readonly number[]
}

describe('inverseDocumentFrequencies', () => {
  const golden = JSON.parse(readFileSync('golden/tf-idf/idf.json', 'utf8')) as IdfGolden

  it(`matches ${golden.source}`, () => {
    const found = inverseDocumentFrequencies(golden.rows, golden.vocabularySize)
    expect(found).toHaveLength(golden.idf.length)
    for (const [i, expected] of golden.idf.entries()) expect(found[i]).toBeCloseTo(expected, 12)
  })

  it('rejects a token outside the vocabulary', () => {
    expect(() => inverseDocumentFrequencies([[1, 24]], 24)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})

it('rejects tf-idf without a value for each token', () => {
  for (const idf of [undefined, [1, 2, 3]])
    expect(() => mlp({ vocabSize: 4, input: 'tf-idf', idf })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('idf') }),
    )
})

it('learns idf from the training examples with the tokenizer', async () => {
  const options = mlp.options.parse({ vocabSize: 3, input: 'tf-idf' })
  const tokenizer = { vocabularySize: 3, encode: (text: string) => ({ ids: [...text].map(Number) }) } as never
  async function* examples() {
    for (const text of ['012', '11', '1']) yield await Promise.resolve({ text })
  }
  const { idf } = await mlp.fit!(options, examples, () => tokenizer)
  expect(idf).toEqual(inverseDocumentFrequencies([[0, 1, 2], [1], [1]], 3))
  expect(mlp({ ...options, idf }).config).not.toHaveProperty('field')
  const none = mlp.fit!({ ...options, field: 'body' }, examples, () => tokenizer)
  await expect(none).rejects.toMatchObject({ code: 'NO_TEXT' })
})
