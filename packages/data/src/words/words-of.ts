/** The words of a text, and the index of the first character of each. */
export interface WordedText {
  readonly text: string
  readonly words: readonly string[]
  readonly starts: readonly number[]
}

/**
 * Splits a text into words and punctuation marks at Unicode word boundaries, in any script; an empty text is one empty word.
 * Source: Unicode Standard Annex 29, section 4, as implemented by the platform's `Intl.Segmenter`.
 */
export function wordsOf(text: string): WordedText {
  const parts = [...new Intl.Segmenter('und', { granularity: 'word' }).segment(text)]
  const words = parts.filter(({ segment }) => segment.trim() !== '')
  if (words.length === 0) return { text, words: [''], starts: [0] }
  return { text, words: words.map(({ segment }) => segment), starts: words.map(({ index }) => index) }
}

/** A list of words as a text, joined by spaces. */
export function joinedWords(words: readonly string[]): WordedText {
  let at = 0
  const starts = words.map((word) => (at += word.length + 1) - word.length - 1)
  return { text: words.join(' '), words, starts }
}
