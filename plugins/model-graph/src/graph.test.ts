import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { type Params, type TextInputs, type Tokenizer, key } from '@attune/core'
import { describeModel, expectClose, integers, readModelGoldens, referenceEngine, textInputs } from '@attune/testkit'
import { graph } from './graph.js'

const { gcn, gat, 'gcn-phrases': gcnPhrases, 'gat-phrases': gatPhrases } = readModelGoldens(graph, 'golden')

for (const golden of [gcn!, gat!, gcnPhrases!, gatPhrases!])
  describeModel(graph, { options: { ...golden.options, dropout: 0.3 }, goldens: [golden] })

it('rejects a hidden size that is not a multiple of the heads of a gat layer', () => {
  expect(() => graph({ layer: 'gat', hiddenSize: 30, numAttentionHeads: 4 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('hiddenSize') }),
  )
})

describe('phrases', () => {
  const small = { vocabSize: 24, embeddingSize: 6, hiddenSize: 8, numAttentionHeads: 2, window: 2 }

  it('distinguish texts with the same words and neighbours', async () => {
    const engine = referenceEngine()
    await engine.start()
    const pooledOf = async (phrases: [number, number][], row: readonly number[]) => {
      const model = graph({ ...small, phrases })
      const forward = engine.compile((p: Params, inputs: TextInputs) => ({
        pooled: model.forward(p, inputs, { training: false }).pooled,
      }))
      return (await engine.read(forward(model.init(key(1)), engine.put(textInputs([row])) as TextInputs))).pooled
    }
    // Links are undirected: without phrases, a text and its reversal are the same graph.
    const [ahead, back] = [
      [3, 4, 5, 6],
      [6, 5, 4, 3],
    ] as const
    expectClose(await pooledOf([], back), await pooledOf([], ahead), 1e-5)
    const [once, twice] = [await pooledOf([[4, 5]], ahead), await pooledOf([[4, 5]], back)]
    expect(Math.max(...once.values.map((value, i) => Math.abs(value - twice.values[i]!)))).toBeGreaterThan(1e-3)
    expectClose(await pooledOf([[9, 9]], ahead), await pooledOf([[9, 9]], back), 1e-5)
  })

  it('do not span padding or two texts packed into a row', async () => {
    const engine = referenceEngine()
    await engine.start()
    const model = graph({ ...small, phrases: [[4, 5], [0, 4], [5, 0]] }) // prettier-ignore
    const forward = engine.compile((p: Params, inputs: TextInputs) => {
      const { pooled, lastHiddenState } = model.forward(p, inputs, { training: false })
      return { pooled, lastHiddenState }
    })
    const params = model.init(key(1))
    const of = async (given: object) =>
      engine.read(forward(params, engine.put(given as never) as unknown as TextInputs))
    const alone = await of(textInputs([[5]]))
    expectClose((await of(textInputs([[5]], 4, 0))).pooled, alone.pooled, 1e-6)
    const packed = await of({ ...textInputs([[4, 5]]), segmentIds: integers([0, 1], [1, 2]) })
    const last = packed.lastHiddenState.values.subarray(8)
    expectClose({ ...alone.lastHiddenState, values: last }, alone.lastHiddenState, 1e-6)
  })

  interface Collocations {
    readonly source: string
    readonly texts: readonly (readonly number[])[]
    readonly cases: readonly { phraseCount: number; phraseMinimumCount: number; phrases: [number, number][] }[]
  }
  const golden = JSON.parse(readFileSync('golden/gcn-phrases/collocations.json', 'utf8')) as Collocations
  async function* examples() {
    for (const ids of golden.texts) yield await Promise.resolve({ body: ids.join(' ') })
  }
  const tokenizer = (special: object): Tokenizer =>
    ({ vocabularySize: 31, special, encode: (text: string) => ({ ids: text.split(' ').map(Number) }) }) as never
  const learned = (options: object, special: object = {}) =>
    graph.fit!(graph.options.parse({ vocabSize: 31, field: 'body', ...options }), examples, () => tokenizer(special))

  it(`are learned from the training examples with the counts of ${golden.source}`, async () => {
    for (const { phrases, ...options } of golden.cases) expect((await learned(options)).phrases).toEqual(phrases)
    const [{ phrases, ...options } = golden.cases[0]!] = golden.cases
    const known = await graph.fit!(graph.options.parse({ ...options, phrases: phrases.slice(1) }), examples)
    expect(known.phrases).toEqual(phrases.slice(1))
    expect((await learned({})).phrases).toBeUndefined()
  })

  it('exclude special tokens, and throw NO_PHRASES if none are found', async () => {
    const { phrases, ...options } = golden.cases[0]!
    const unknown = phrases[0]![0]
    const others = (await learned(options, { unknown })).phrases!
    expect(others.length).toBeGreaterThan(0)
    expect(others.flat()).not.toContain(unknown)
    for (const none of [
      { phraseCount: 3, phraseMinimumCount: 10_000 },
      { phraseCount: 3, field: 'title' },
    ])
      await expect(learned(none)).rejects.toMatchObject({ code: 'NO_PHRASES' })
  })

  it('are saved in config.json without the options that learned them, and rejected if malformed', () => {
    const { config } = graph({ ...small, phraseCount: 2, field: 'body', phrases: [[4, 5]] })
    expect(config).toMatchObject({ phrases: [[4, 5]] })
    for (const name of ['phrase_count', 'phrase_minimum_count', 'field']) expect(config).not.toHaveProperty(name)
    for (const wrong of [
      { phraseCount: 2 },
      { phrases: [[4, 24]] },
      {
        phrases: [
          [4, 5],
          [4, 5],
        ],
      },
    ])
      // prettier-ignore
      expect(() => graph({ ...small, ...wrong } as never)).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
  })
})
