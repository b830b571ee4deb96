import { requireInteger } from './require-integer.js'

/**
 * Batches items in order, `batchSize` items of one `group` each. A batch is yielded as soon as it is full, and the incomplete
 * batches of all groups at the end. Without groups it is equivalent to {@link batch}.
 * @throws AttuneError `BAD_ARGUMENT` unless `batchSize` is an integer ≥ 1.
 */
export async function* batchByGroup<T extends { readonly group?: string }>(
  items: AsyncIterable<T>,
  batchSize: number,
): AsyncGenerator<T[], void> {
  requireInteger('batchByGroup', 'batchSize', batchSize, 1)
  const groups = new Map<string, T[]>()
  for await (const item of items) {
    const name = item.group ?? ''
    const group = groups.get(name) ?? []
    groups.set(name, group)
    if (group.push(item) < batchSize) continue
    groups.delete(name)
    yield group
  }
  yield* groups.values()
}
