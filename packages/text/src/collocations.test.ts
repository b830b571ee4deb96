import { expect, it } from '@jest/globals'
import { learnCollocations } from './collocations.js'

async function* texts(...all: readonly (readonly number[])[]) {
  for (const ids of all) yield await Promise.resolve(ids)
}

it('learnCollocations matches scores computed by hand and returns the best pairs', async () => {
  // Counts: token 1 three times, 2 three times, 3 four times; pair 1 2 twice, 2 3 three times, 3 3 once.
  const found = (count: number, minimumCount: number, aside: readonly number[] = []) =>
    learnCollocations(texts([1, 2, 3], [1, 2, 3, 3], [2, 3], [1]), { vocabularySize: 4, count, minimumCount, aside })
  // (2 − 0.5) / 9 = 0.167, (3 − 0.5) / 12 = 0.208, (1 − 0.5) / 16 = 0.031
  expect(await found(9, 0.5)).toEqual([[2, 3], [1, 2], [3, 3]]) // prettier-ignore
  expect(await found(1, 0.5)).toEqual([[2, 3]])
  expect(await found(9, 2)).toEqual([[2, 3]])
  expect(await found(9, 3)).toEqual([])
  expect(await found(9, 0.5, [2])).toEqual([[3, 3]])
})
