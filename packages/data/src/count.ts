/** Counts the items of a stream, in constant memory. */
export async function count(items: AsyncIterable<unknown>): Promise<number> {
  const iterator = items[Symbol.asyncIterator]()
  let seen = 0
  while ((await iterator.next()).done !== true) seen++
  return seen
}
