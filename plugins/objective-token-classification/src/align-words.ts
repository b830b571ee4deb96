import type { EncodeOptions, Encoding, Tokenizer } from '@attune/core'

/** A text of words as the model reads it. */
export interface Aligned {
  readonly encoding: Encoding
  /** For each word the place of its first token; −1 where it has none of its own, or was cut. */
  readonly places: readonly number[]
}

/** Encodes words, with a space between each two, and finds where each begins. */
export function alignWords(tokenizer: Tokenizer, words: readonly string[], options: EncodeOptions): Aligned {
  const encoding = tokenizer.encode(words.join(' '), { ...options, offsets: true })
  const { offsets = [], specialMask = [] } = encoding
  let [begin, token] = [0, 0]
  const places = words.map((word) => {
    const end = begin + word.length
    // A token may begin with the space before its word; one of several words is the first one's.
    while (token < offsets.length && (specialMask[token] === 1 || offsets[token]![1] <= begin)) token++
    const found = token < offsets.length && offsets[token]![0] < end
    begin = end + 1
    return found ? token++ : -1
  })
  return { encoding, places }
}
