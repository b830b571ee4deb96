import { shuffled } from '@attune/core'
import { requireWhole } from './require-whole.js'

/**
 * Shuffles a stream within bounded memory: keeps `bufferSize` items and, as each further one comes, gives out one of
 * them by chance. With a buffer as large as the dataset every order is equally likely; with a smaller one, no item
 * comes more than `bufferSize − 1` places early, though it may come any distance late.
 * @param random uniform numbers in [0, 1); the same numbers give the same order.
 * @throws AttuneError `BAD_ARGUMENT` unless `bufferSize` is a whole number from 1.
 */
export async function* shuffle<T>(
  items: AsyncIterable<T>,
  bufferSize: number,
  random: () => number,
): AsyncGenerator<T, void> {
  requireWhole('shuffle', 'bufferSize', bufferSize, 1)
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
