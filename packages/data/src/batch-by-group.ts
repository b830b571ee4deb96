import { requireWhole } from './require-whole.js'

/**
 * Batches items in the order in which they come, `batchSize` at a time and of one `group` only; a batch comes as soon as it is full,
 * what is left of each group at the end. Without groups it is {@link batch}.
 * @throws AttuneError `BAD_ARGUMENT` unless `batchSize` is a whole number from 1.
 */
export async function* batchByGroup<T extends { readonly group?: string }>(
  items: AsyncIterable<T>,
  batchSize: number,
): AsyncGenerator<T[], void> {
  requireWhole('batchByGroup', 'batchSize', batchSize, 1)
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
