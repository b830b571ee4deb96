/** Reads everything and tells how many items there were; keeps none. */
export async function count(items: AsyncIterable<unknown>): Promise<number> {
  const iterator = items[Symbol.asyncIterator]()
  let seen = 0
  while ((await iterator.next()).done !== true) seen++
  return seen
}
