import { requireWhole } from './require-whole.js'

/**
 * Leaves out the first `n` items: how a run goes on in the middle of an epoch, by drawing again what it had drawn.
 * The items are still read, since whatever shuffled them must draw the same numbers.
 * @throws AttuneError `BAD_ARGUMENT` unless `n` is a whole number from 0.
 */
export async function* skip<T>(items: AsyncIterable<T>, n: number): AsyncGenerator<T, void> {
  requireWhole('skip', 'n', n, 0)
  let passed = 0
  for await (const item of items) {
    if (passed < n) passed++
    else yield item
  }
}
