import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type Batch,
  type Example,
  type Losses,
  type Objective,
  type OnDevice,
  type Params,
  type TextInputs,
  key,
} from '@attune/core'
import { describeObjective, referenceEngine, tinyModel, tinyTokenizer } from '@attune/testkit'
import { spanExtraction } from './span-extraction.js'

const row = (question: string, context: string, answer: string): Example => ({
  question,
  context,
  answers: { text: [answer], answer_start: [context.indexOf(answer)] },
})
const examples = [
  row('who?', 'ann sat', 'ann'),
  row('where?', 'ann sat in the old house', 'house'),
  row('when?', 'then', 'then'),
  row('what is it?', 'it is a chair', 'a chair'),
  row('why?', 'no', 'no'),
  row('how many dogs?', 'two dogs', 'two'),
]
const none = { question: 'who?', context: 'it is cold today', answers: { text: [], answer_start: [] } }
const flat = examples.map(({ question: q, context: c, answers }) => {
  const { text, answer_start: at } = answers as { text: string[]; answer_start: number[] }
  return { q, c, answer: text[0], at: String(at[0]) }
})

describeObjective(spanExtraction, { examples, references: ['answers'], textsPerExample: 8 })
describeObjective(spanExtraction, {
  examples: [...flat, { q: 'who?', c: 'it is cold', answer: '', at: '' }],
  options: { question: 'q', context: 'c', answers: 'answer', answerStart: 'at', maximumLength: 16, stride: 2 },
  references: ['answer'],
  textsPerExample: 12,
})

describe('objective span-extraction', () => {
  const engine = referenceEngine()
  const given = { model: tinyModel(), tokenizer: tinyTokenizer() }
  const objective = spanExtraction({ unanswerable: true }, given)
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('learns from the examples if questions may have no answer', async () => {
    const fit = async (rows: readonly Example[]) => {
      async function* all() {
        for (const each of rows) yield await Promise.resolve(each)
      }
      return (await spanExtraction.fit!(spanExtraction.options.parse({}), all)).unanswerable
    }
    expect([await fit(examples), await fit([...examples, none])]).toEqual([false, true])
    expect(() => spanExtraction({}, given).encode(none)).toThrow(
      expect.objectContaining({
        code: 'MISSING_FIELD',
        remedy: expect.stringContaining('unanswerable: true') as never,
      }),
    )
  })

  it('returns the list of reference answers, empty if there is none', () => {
    const two = { ...examples[1]!, answers: { text: ['old house', 'house'], answer_start: [15, 19] } }
    expect(objective.reference(objective.encode(two))).toEqual({ answer: ['old house', 'house'] })
    expect(objective.reference(objective.encode(none))).toEqual({ answer: [] })
  })

  it('finds answers by code points, by UTF-16 code units, and by their first occurrence', () => {
    const context = '😀😀 ann sat'
    for (const answers of [
      { text: ['ann'], answer_start: [3] },
      { text: ['ann'], answer_start: [5] },
    ])
      expect(objective.encode({ question: 'who?', context, answers }).answers).toEqual([{ text: 'ann', start: 5 }])
    expect(objective.encode({ question: 'who?', context, answers: 'ann' }).answers).toEqual([{ text: 'ann', start: 5 }])
  })

  it.each([
    [{ text: ['bob'], answer_start: [0] }, 'ANSWER_NOT_IN_CONTEXT'],
    [{ text: ['ann'], answer_start: [1] }, 'ANSWER_NOT_IN_CONTEXT'],
    [{ text: ['ann'], answer_start: [-1] }, 'ANSWER_NOT_IN_CONTEXT'],
    ['bob', 'ANSWER_NOT_IN_CONTEXT'],
    [{ text: ['ann'], answer_start: [] }, 'MISSING_FIELD'],
    [{ text: ['ann'], answer_start: ['x'] }, 'MISSING_FIELD'],
    [{ text: [1], answer_start: [0] }, 'MISSING_FIELD'],
    [{ answer_start: [0] }, 'MISSING_FIELD'],
    [3, 'MISSING_FIELD'],
  ])('rejects the answers %j', (answers, code) => {
    expect(() => objective.encode({ question: 'who?', context: 'ann sat', answers } as never)).toThrow(
      expect.objectContaining({ code }),
    )
  })

  it('rejects a stride as long as the context in a window, and truncates a question only if it fills most of it', () => {
    const short = spanExtraction({ maximumLength: 10, stride: 9, unanswerable: true }, given)
    expect(() => short.encode(none)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
    const long = { question: 'a question of many words', context: 'ann sat on a chair', answers: [] }
    const item = objective.encode(long)
    expect([item.truncated, item.length]).toEqual([true, 24])
    expect(item.rows.every((window: { first: number }) => window.first === 17)).toBe(true)
    expect(objective.encode({ ...long, context: 'ann' }).rows[0]!.first).toBe(20)
    expect(objective.encode({ ...none, context: '' }).rows).toHaveLength(1)
  })

  it('has a loss that does not depend on the padded length, and none for padding rows', async () => {
    const plain: Objective = objective
    const eight = Array.from({ length: 8 }, (_, i) => plain.encode(examples[i === 4 ? 3 : 0]!))
    const params = { ...given.model.init(key(1)), ...objective.init(key(2)) }
    const infer = engine.compile((p: Params, batch: OnDevice<Batch>): Losses => {
      const mode = { training: false } as const
      const outputs = given.model.forward(p, batch.inputs as unknown as TextInputs, mode)
      return plain.loss(plain.head(p, outputs, mode, batch), batch)
    })
    const lossesOf = async (items: typeof eight): Promise<number[][]> => {
      const { losses, weights } = await engine.read(infer(params, engine.put(plain.collate(items))))
      return [losses, weights].map((each) => [...each.values])
    }
    const [[alone], [among, weights]] = [await lossesOf(eight.slice(0, 1)), await lossesOf(eight)]
    expect(among![0]).toBeCloseTo(alone![0]!, 5)
    expect(weights).toEqual([...Array<number>(9).fill(1), 0])
  })
})
