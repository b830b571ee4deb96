import type { Work } from './work.js'

/** The tokens of a word, with the range of each among the word's UTF-16 units, from `starts` to before `ends`. */
export interface WordTokens {
  readonly ids: readonly number[]
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** Tokenizes a word. */
export type WordModel = (word: string, work: Work) => WordTokens

/** A word that is one token. */
export const wholeWord = (word: string, id: number): WordTokens => ({ ids: [id], starts: [0], ends: [word.length] })

const encoder = new TextEncoder()

/** The tokens that stand for the bytes of a text; `undefined` unless the vocabulary has all of them. */
export type ByteTokens = (text: string, work: Work) => number[] | undefined

/** Steps for a byte. */
const STEPS_PER_BYTE = 4

/** Looks up the tokens of bytes in a vocabulary, as SentencePiece spells them: `<0x0A>`. */
export function byteTokensOf(ids: ReadonlyMap<string, number>): ByteTokens {
  const tokens = Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  )
  return (text, work) => {
    const bytes = encoder.encode(text)
    work.spend(STEPS_PER_BYTE * bytes.length)
    const found = Array.from(bytes, (byte) => tokens[byte])
    return found.includes(undefined) ? undefined : (found as number[])
  }
}
