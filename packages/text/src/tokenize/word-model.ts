import type { Work } from './work.js'

/** Tokens of a word with their ranges in the word, in UTF-16 units, from `starts` to before `ends`. */
export interface WordTokens {
  readonly ids: readonly number[]
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** Tokenizes a word. */
export type WordModel = (word: string, work: Work) => WordTokens

/** A word as a single token. */
export const wholeWord = (word: string, id: number): WordTokens => ({ ids: [id], starts: [0], ends: [word.length] })

const encoder = new TextEncoder()

/** Byte fallback: the tokens of the UTF-8 bytes of a text; `undefined` if the vocabulary lacks one of them. */
export type ByteTokens = (text: string, work: Work) => number[] | undefined

/** Steps per byte. */
const STEPS_PER_BYTE = 4

/** Creates the byte fallback of a vocabulary, with byte tokens as in SentencePiece: `<0x0A>`. */
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
