/** Applies `f` to each item as it comes. */
export async function* map<T, R>(items: AsyncIterable<T>, f: (item: T) => R): AsyncGenerator<R, void> {
  for await (const item of items) yield f(item)
}
