import { shuffled } from '@attune/core'
import { requireInteger } from './require-integer.js'

/**
 * Shuffles a stream with a shuffle buffer: holds `bufferSize` items and replaces a random one with each new item. If the buffer
 * is as large as the dataset, every order is equally likely. With a smaller buffer an item is at most `bufferSize − 1` positions
 * early, but may be arbitrarily late.
 * @param random uniform numbers in [0, 1); the same numbers yield the same order.
 * @throws AttuneError `BAD_ARGUMENT` unless `bufferSize` is an integer ≥ 1.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { key, stream } from '@attune/core'
 * import { shuffle } from '@attune/data'
 * const shuffled = shuffle(Readable.from(['a', 'b', 'c', 'd']), 4, stream(key(7)))
 * for await (const item of shuffled) console.log(item) // c, a, b, d
 * ```
 */
export async function* shuffle<T>(
  items: AsyncIterable<T>,
  bufferSize: number,
  random: () => number,
): AsyncGenerator<T, void> {
  requireInteger('shuffle', 'bufferSize', bufferSize, 1)
  const buffer: T[] = []
  for await (const item of items) {
    if (buffer.length < bufferSize) {
      buffer.push(item)
      continue
    }
    const chosen = Math.floor(random() * bufferSize)
    yield buffer[chosen] as T
    buffer[chosen] = item
  }
  yield* shuffled(buffer, random)
}
