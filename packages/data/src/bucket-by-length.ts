import { shuffled } from '@attune/core'
import { batch } from './batch.js'
import { requireInteger } from './require-integer.js'

/** Sizes of {@link bucketByLength}. */
export interface Buckets {
  /** Number of items in a batch. */
  readonly batchSize: number
  /** Number of batches that are buffered and sorted together; 1 disables sorting across batches. */
  readonly buckets: number
}

/** Returns items by group, in order of first occurrence. */
function byGroup<T extends { readonly group?: string }>(items: readonly T[], pending: ReadonlyMap<string, T[]>) {
  const groups = new Map([...pending].map(([name, rest]) => [name, [...rest]]))
  for (const item of items) {
    const name = item.group ?? ''
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return groups
}

/**
 * Length bucketing: batches items of similar length to reduce padding. Sorts `batchSize · buckets` items at a time by length,
 * splits them into batches and yields these in random order. A batch holds items of one `group` only. All batches are full except
 * the last of each group, so `n` items of a group make exactly `⌈n / batchSize⌉` batches. The short batch comes from a random
 * position of its sorted group, so items of all lengths are equally likely to be in it.
 * @param random uniform numbers in [0, 1); the same numbers yield the same batches.
 * @throws AttuneError `BAD_ARGUMENT` unless both sizes are integers ≥ 1.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { key, stream } from '@attune/core'
 * import { bucketByLength } from '@attune/data'
 * const words = Readable.from(['a', 'four', 'of', 'five5'])
 * for await (const batch of bucketByLength(words, { batchSize: 2, buckets: 2 }, stream(key(7)))) console.log(batch)
 * // [ 'four', 'five5' ], then [ 'a', 'of' ]
 * ```
 */
export async function* bucketByLength<T extends { readonly length: number; readonly group?: string }>(
  items: AsyncIterable<T>,
  { batchSize, buckets }: Buckets,
  random: () => number,
): AsyncGenerator<T[], void> {
  requireInteger('bucketByLength', 'batchSize', batchSize, 1)
  requireInteger('bucketByLength', 'buckets', buckets, 1)
  let pending = new Map<string, T[]>()
  for await (const window of batch(items, batchSize * buckets)) {
    const rest = new Map<string, T[]>()
    const batches: T[][] = []
    for (const [name, group] of byGroup(window, pending)) {
      group.sort((a, b) => a.length - b.length)
      const full = Math.floor(group.length / batchSize)
      const short = group.splice(Math.floor(random() * (full + 1)) * batchSize, group.length % batchSize)
      if (short.length > 0) rest.set(name, short)
      for (let i = 0; i < full; i++) batches.push(group.slice(i * batchSize, (i + 1) * batchSize))
    }
    pending = rest
    yield* shuffled(batches, random)
  }
  yield* pending.values()
}
