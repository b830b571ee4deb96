/**
 * Splits a text into words and punctuation marks at Unicode word boundaries, in any script; an empty text is one empty word.
 * Source: Unicode Standard Annex 29, section 4, as implemented by the platform's `Intl.Segmenter`.
 */
export function wordsOf(text: string): readonly string[] {
  const parts = Array.from(new Intl.Segmenter('und', { granularity: 'word' }).segment(text), ({ segment }) => segment)
  const words = parts.filter((part) => part.trim() !== '')
  return words.length > 0 ? words : ['']
}
