import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Model, type Params, type TextInputs, key } from '@attune/core'
import { describeModel, expectClose, integers, readModelGoldens, referenceEngine } from '@attune/testkit'
import { lstm } from './lstm.js'

const tiny = { vocabSize: 20, embeddingSize: 6, hiddenSize: 5, dropout: 0.1, maximumLength: 12 }
const goldens = readModelGoldens(lstm, 'golden')
const goldensOf = (architecture: string) =>
  Object.values(goldens).filter(({ options }) => options['architecture'] === architecture)

describe('as a decoder', () =>
  describeModel(lstm, { options: { ...tiny, architecture: 'decoder' }, goldens: goldensOf('decoder') }))
describe('as a bidirectional encoder', () =>
  describeModel(lstm, { options: { ...tiny, bidirectional: true }, goldens: goldensOf('encoder') }))
describe('as an encoder–decoder', () =>
  describeModel(lstm, {
    options: { ...tiny, architecture: 'encoder-decoder', bidirectional: true },
    goldens: goldensOf('encoder-decoder'),
  }))
for (const cell of ['rnn', 'gru'] as const)
  describe(`of ${cell}`, () => describeModel(lstm, { options: { ...tiny, cell, architecture: 'decoder', layers: 3 } }))

describe('model lstm', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  const outputs = async (model: Model, inputs: Readonly<Record<string, HostArray>>) => {
    const forward = engine.compile((p: Params, given: TextInputs) => model.forward(p, given, { training: false }))
    const found = forward(model.init(key(1)), engine.put(inputs) as TextInputs)
    return (await engine.read(found)) as unknown as Readonly<Record<string, HostArray>>
  }
  const matrix = (rows: readonly (readonly number[])[]): HostArray =>
    integers(rows.flat(), [rows.length, rows[0]!.length])
  const texts = (rows: readonly (readonly number[])[]) => ({
    inputIds: matrix(rows),
    attentionMask: matrix(rows.map((row) => row.map((id) => (id === 0 ? 0 : 1)))),
    tokenTypeIds: matrix(rows.map((row) => row.map(() => 0))),
  })

  it.each(['rnn', 'lstm', 'gru'])('ignores padding on the left in both directions: %s', async (cell) => {
    const model = lstm({ ...tiny, cell: cell as 'rnn', bidirectional: true })
    const right = await outputs(model, texts([[4, 9, 7, 0, 0]]))
    const left = await outputs(model, texts([[0, 0, 4, 9, 7]]))
    expectClose(left['pooled'], right['pooled'], 1e-6)
    const moved = [
      ...right['lastHiddenState']!.values.subarray(30),
      ...right['lastHiddenState']!.values.subarray(0, 30),
    ]
    expectClose(left['lastHiddenState'], { ...right['lastHiddenState']!, values: Float32Array.from(moved) }, 1e-6)
  })

  it('returns probabilities that sum to 1 with copying, higher for tokens of the encoder input', async () => {
    const model = lstm({ ...tiny, architecture: 'encoder-decoder', copy: true })
    const given = {
      ...texts([[4, 9, 4, 7]]),
      decoderInputIds: matrix([[1, 5]]),
      decoderAttentionMask: matrix([[1, 1]]),
    }
    const { tokenLogits } = await outputs(model, given)
    expect(tokenLogits!.shape).toEqual([1, 2, 20])
    for (const from of [0, 20]) {
      const probabilities = Array.from(tokenLogits!.values.subarray(from, from + 20), Math.exp)
      expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5)
      const [most] = probabilities.map((p, id) => [p, id] as const).sort(([p], [q]) => q - p)[0]!
      expect(probabilities[4]).toBe(most)
      expect(Math.min(...[4, 7, 9].map((id) => probabilities[id]!))).toBeGreaterThan(probabilities[11]!)
    }
  })
})

describe('invalid combinations of options', () => {
  it.each([
    ['bidirectional', { architecture: 'decoder', bidirectional: true }],
    ['embeddingSize', { architecture: 'decoder', tieWordEmbeddings: true, embeddingSize: 4, hiddenSize: 8 }],
    ['attention', { architecture: 'encoder-decoder', attention: 'dot', bidirectional: true }],
  ] as const)('are rejected, and the error names %s', (name, given) => {
    expect(() => lstm(given)).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(name) }),
    )
  })
})
