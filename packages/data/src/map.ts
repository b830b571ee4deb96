/**
 * Applies `f` to each item of a stream.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { map } from '@attune/data'
 * const lengths = map(Readable.from(['one', 'three']), (text) => text.length)
 * for await (const length of lengths) console.log(length) // 3, then 5
 * ```
 */
export async function* map<T, R>(items: AsyncIterable<T>, f: (item: T) => R): AsyncGenerator<R, void> {
  for await (const item of items) yield f(item)
}
