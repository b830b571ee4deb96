import type { EncodeOptions, Encoding, Tokenizer } from '@attune/core'

/** A token of a word: its position in the encoding, and the characters of the word that it covers. */
export interface WordToken {
  readonly position: number
  readonly start: number
  readonly end: number
}

/** An encoded list of words. */
export interface Aligned {
  readonly encoding: Encoding
  /** Index of the first token of each word; −1 if it has no token of its own or was truncated. */
  readonly positions: readonly number[]
  /** The tokens of each word. */
  readonly tokens: readonly (readonly WordToken[])[]
}

/** Encodes words, joined by spaces, and finds the tokens of each. */
export function alignWords(tokenizer: Tokenizer, words: readonly string[], options: EncodeOptions): Aligned {
  const encoding = tokenizer.encode(words.join(' '), { ...options, offsets: true })
  const { offsets = [], specialMask = [] } = encoding
  let [begin, token] = [0, 0]
  const tokens = words.map((word) => {
    const end = begin + word.length
    const own: WordToken[] = []
    // A token may start with the space before its word; a token of several words belongs to the first one.
    for (; token < offsets.length && (specialMask[token] === 1 || offsets[token]![0] < end); token++) {
      const [from, to] = offsets[token]!
      if (specialMask[token] !== 1 && to > begin)
        own.push({ position: token, start: Math.max(from - begin, 0), end: Math.min(to, end) - begin })
    }
    begin = end + 1
    return own
  })
  return { encoding, tokens, positions: tokens.map((own) => own[0]?.position ?? -1) }
}
