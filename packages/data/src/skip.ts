import { requireInteger } from './require-integer.js'

/**
 * Skips the first `n` items, to resume in the middle of an epoch. The items are still read, so that an upstream shuffle consumes
 * the same random numbers.
 * @throws AttuneError `BAD_ARGUMENT` unless `n` is an integer ≥ 0.
 */
export async function* skip<T>(items: AsyncIterable<T>, n: number): AsyncGenerator<T, void> {
  requireInteger('skip', 'n', n, 0)
  let passed = 0
  for await (const item of items) {
    if (passed < n) passed++
    else yield item
  }
}
