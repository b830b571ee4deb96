/** The tokens of a word, with the place of each among the word's UTF-16 units, from `starts` to before `ends`. */
export interface WordTokens {
  readonly ids: readonly number[]
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** Cuts a word into tokens of a vocabulary. */
export type WordModel = (word: string) => WordTokens

/** A word that is one token. */
export const wholeWord = (word: string, id: number): WordTokens => ({ ids: [id], starts: [0], ends: [word.length] })

const encoder = new TextEncoder()

/** The tokens that stand for the bytes of a text; `undefined` unless the vocabulary has all of them. */
export function byteTokens(text: string, ids: ReadonlyMap<string, number>): number[] | undefined {
  const tokens = Array.from(encoder.encode(text), (byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  )
  return tokens.some((token) => token === undefined) ? undefined : (tokens as number[])
}
