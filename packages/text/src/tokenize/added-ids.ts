import type { TokenizerFile } from './schema.js'

/** An added token with its id. */
export type AddedToken = TokenizerFile['added_tokens'][number]

/** An added token whose id may differ from the one in its file. */
export type DeclaredToken = Omit<AddedToken, 'id'> & { readonly id?: number | undefined }

/** Maximum of the values; −1 if there are none. */
function maximumOf(values: Iterable<number>): number {
  let maximum = -1
  for (const value of values) maximum = Math.max(maximum, value)
  return maximum
}

/**
 * Adds tokens to others, like the Rust library: a token keeps the id that it has already, or the one in the model's vocabulary; else
 * it gets the next id. The id in the file does not count, except if the vocabulary has unused ids, where the next id may be taken. A
 * token that is there already gets the new flags, but stays special.
 * @param size the number of entries in the model's vocabulary
 */
export function addTokens(
  known: readonly AddedToken[],
  declared: readonly DeclaredToken[],
  vocabulary: ReadonlyMap<string, number>,
  size: number,
): readonly AddedToken[] {
  const found = new Map(known.map((token) => [token.content, token]))
  const maximum = maximumOf(vocabulary.values())
  const isDense = maximum + 1 <= size
  let next = Math.max(isDense ? size : maximum + 1, maximumOf(known.map(({ id }) => id)) + 1)
  for (const token of declared) {
    if (token.content === '') continue
    const before = found.get(token.content)
    const given = isDense ? undefined : token.id
    const id = before?.id ?? vocabulary.get(token.content) ?? given ?? next
    next = Math.max(next, id + 1)
    found.set(token.content, { ...token, id, special: token.special || before?.special === true })
  }
  return [...found.values()]
}
