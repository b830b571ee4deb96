/**
 * The words of a text, and each punctuation mark by itself, as Unicode divides texts in any script; an empty text is one empty
 * word. Source: Unicode Standard Annex 29, section 4, as the platform's `Intl.Segmenter` has it.
 */
export function wordsOf(text: string): readonly string[] {
  const parts = Array.from(new Intl.Segmenter('und', { granularity: 'word' }).segment(text), ({ segment }) => segment)
  const words = parts.filter((part) => part.trim() !== '')
  return words.length > 0 ? words : ['']
}
