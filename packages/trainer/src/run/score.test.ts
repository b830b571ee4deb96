import { describe, expect, it } from '@jest/globals'
import type { Encoded, Metric, Objective, Views } from '@attune/core'
import type { Inference } from '../inference/infer.js'
import { score } from './score.js'

interface Item extends Encoded {
  readonly text: string
}

const items: readonly Item[] = ['aa', 'bb', 'ac'].map((text) => ({ text, length: 2, truncated: false }))

/** Inference that predicts the first letter. */
const inference = {
  async *run(_: unknown, given: AsyncIterable<Item>) {
    for await (const item of given) yield { item, prediction: { label: item.text[0] } }
  },
} as unknown as Inference

const exact = (compares: string): Metric<string, string, [number, number]> => ({
  name: `exact ${compares}`,
  compares,
  direction: 'maximize',
  range: [0, 1],
  init: () => [0, 0],
  add: ([right, all], predictions, references) => [
    right + predictions.filter((each, i) => each === references[i]).length,
    all + predictions.length,
  ],
  merge: (a, b) => [a[0] + b[0], a[1] + b[1]],
  result: ([right, all]) => ({ value: right / all }),
})

/** An objective with a generated view `text`: the upper-case text. */
function objectiveWith(asked: number[]): Objective {
  return {
    views: ['label', 'text'],
    generatedViews: ['text'],
    generate(given: readonly Item[]): Promise<readonly Views[]> {
      asked.push(given.length)
      return Promise.resolve(given.map(({ text }) => ({ text: text.toUpperCase() })))
    },
    reference: ({ text }: Item) => ({ label: 'a', text: text === 'bb' ? 'other' : text.toUpperCase() }),
  } as unknown as Objective
}

async function* each(): AsyncGenerator<Item, void> {
  yield* items
}

describe('score', () => {
  const parts = {} as never
  const scoreBy = (asked: number[], ...metrics: readonly Metric[]) =>
    score(inference, objectiveWith(asked), metrics, {}, each(), parts)

  it('generates text only if a metric compares it', async () => {
    const asked: number[] = []
    const { scores } = await scoreBy(asked, exact('label') as Metric)
    expect(scores['exact label']!.value).toBeCloseTo(2 / 3, 9)
    expect(asked).toEqual([])
  })

  it('passes generated text and predictions to the metrics', async () => {
    const asked: number[] = []
    const { scores, examples } = await scoreBy(asked, exact('label') as Metric, exact('text') as Metric)
    expect([scores['exact label']!.value, scores['exact text']!.value]).toEqual([2 / 3, 2 / 3])
    expect([asked, examples]).toEqual([[3], 3])
  })
})
