import { requireWhole } from './require-whole.js'

/**
 * Groups items in the order in which they come, `batchSize` at a time; the last batch holds what is left.
 * @throws AttuneError `BAD_ARGUMENT` unless `batchSize` is a whole number from 1.
 */
export async function* batch<T>(items: AsyncIterable<T>, batchSize: number): AsyncGenerator<T[], void> {
  requireWhole('batch', 'batchSize', batchSize, 1)
  let group: T[] = []
  for await (const item of items) {
    if (group.push(item) < batchSize) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
