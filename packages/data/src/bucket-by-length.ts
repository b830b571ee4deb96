import { shuffled } from '@attune/core'
import { batch } from './batch.js'
import { requireWhole } from './require-whole.js'

/** The sizes that {@link bucketByLength} works with. */
export interface Buckets {
  /** Items in a batch. */
  readonly batchSize: number
  /** Batches that are held and sorted together; 1 sorts nothing across batches. */
  readonly buckets: number
}

/**
 * Batches items of like length, so that little is padded: takes `batchSize · buckets` items at a time, sorts them by
 * length, cuts them into batches and gives the batches out in random order. Every batch is full but the last of all, so
 * `n` items make exactly `⌈n / batchSize⌉` batches. The short batch is cut from a random place of its sorted group:
 * items of every length are as likely to be in it.
 * @param random uniform numbers in [0, 1); the same numbers give the same batches.
 * @throws AttuneError `BAD_ARGUMENT` unless both sizes are whole numbers from 1.
 */
export async function* bucketByLength<T extends { readonly length: number }>(
  items: AsyncIterable<T>,
  { batchSize, buckets }: Buckets,
  random: () => number,
): AsyncGenerator<T[], void> {
  requireWhole('bucketByLength', 'batchSize', batchSize, 1)
  requireWhole('bucketByLength', 'buckets', buckets, 1)
  for await (const group of batch(items, batchSize * buckets)) {
    group.sort((a, b) => a.length - b.length)
    const full = Math.floor(group.length / batchSize)
    const short = group.splice(Math.floor(random() * (full + 1)) * batchSize, group.length % batchSize)
    const batches = Array.from({ length: full }, (_, i) => group.slice(i * batchSize, (i + 1) * batchSize))
    yield* shuffled(batches, random)
    if (short.length > 0) yield short
  }
}
