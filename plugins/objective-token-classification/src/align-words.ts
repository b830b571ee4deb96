import type { EncodeOptions, Encoding, Tokenizer } from '@attune/core'

/** An encoded list of words. */
export interface Aligned {
  readonly encoding: Encoding
  /** Index of the first token of each word; −1 if it has no token of its own or was truncated. */
  readonly positions: readonly number[]
}

/** Encodes words, joined by spaces, and finds the first token of each. */
export function alignWords(tokenizer: Tokenizer, words: readonly string[], options: EncodeOptions): Aligned {
  const encoding = tokenizer.encode(words.join(' '), { ...options, offsets: true })
  const { offsets = [], specialMask = [] } = encoding
  let [begin, token] = [0, 0]
  const positions = words.map((word) => {
    const end = begin + word.length
    // A token may start with the space before its word; a token of several words belongs to the first one.
    while (token < offsets.length && (specialMask[token] === 1 || offsets[token]![1] <= begin)) token++
    const found = token < offsets.length && offsets[token]![0] < end
    begin = end + 1
    return found ? token++ : -1
  })
  return { encoding, positions }
}
