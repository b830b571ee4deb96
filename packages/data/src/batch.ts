import { requireInteger } from './require-integer.js'

/**
 * Batches items in order, `batchSize` at a time; the last batch may be smaller.
 * @throws AttuneError `BAD_ARGUMENT` unless `batchSize` is an integer ≥ 1.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { batch } from '@attune/data'
 * for await (const items of batch(Readable.from([5, 6, 7]), 2)) console.log(items) // [ 5, 6 ], then [ 7 ]
 * ```
 */
export async function* batch<T>(items: AsyncIterable<T>, batchSize: number): AsyncGenerator<T[], void> {
  requireInteger('batch', 'batchSize', batchSize, 1)
  let group: T[] = []
  for await (const item of items) {
    if (group.push(item) < batchSize) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
