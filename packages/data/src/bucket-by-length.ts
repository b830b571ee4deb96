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

/** Items by group, in the order in which groups first come. */
function byGroup<T extends { readonly group?: string }>(items: readonly T[], kept: ReadonlyMap<string, T[]>) {
  const groups = new Map([...kept].map(([name, left]) => [name, [...left]]))
  for (const item of items) {
    const name = item.group ?? ''
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return groups
}

/**
 * Batches items of like length, so that little is padded: takes `batchSize · buckets` items at a time, sorts them by
 * length, cuts them into batches and gives the batches out in random order. A batch holds items of one `group` only. Every batch is
 * full but the last of each group, so `n` items of a group make exactly `⌈n / batchSize⌉` batches. The short batch is cut from a
 * random place of its sorted group: items of every length are as likely to be in it.
 * @param random uniform numbers in [0, 1); the same numbers give the same batches.
 * @throws AttuneError `BAD_ARGUMENT` unless both sizes are whole numbers from 1.
 */
export async function* bucketByLength<T extends { readonly length: number; readonly group?: string }>(
  items: AsyncIterable<T>,
  { batchSize, buckets }: Buckets,
  random: () => number,
): AsyncGenerator<T[], void> {
  requireWhole('bucketByLength', 'batchSize', batchSize, 1)
  requireWhole('bucketByLength', 'buckets', buckets, 1)
  let kept = new Map<string, T[]>()
  for await (const window of batch(items, batchSize * buckets)) {
    const left = new Map<string, T[]>()
    const batches: T[][] = []
    for (const [name, group] of byGroup(window, kept)) {
      group.sort((a, b) => a.length - b.length)
      const full = Math.floor(group.length / batchSize)
      const short = group.splice(Math.floor(random() * (full + 1)) * batchSize, group.length % batchSize)
      if (short.length > 0) left.set(name, short)
      for (let i = 0; i < full; i++) batches.push(group.slice(i * batchSize, (i + 1) * batchSize))
    }
    kept = left
    yield* shuffled(batches, random)
  }
  yield* kept.values()
}
