import type { ModelFile } from './schema.js'
import { type WordModel, wholeWord } from './word-model.js'

/**
 * Cuts a word from the left into the longest pieces that the vocabulary has. A word with a part that the vocabulary lacks is
 * unknown as a whole.
 * Source: Wu et al., Google's Neural Machine Translation System, 2016, section 4.1; the greedy search is that of BERT.
 */
export function wordPiece(model: ModelFile<'WordPiece'>, vocabulary: ReadonlyMap<string, number>): WordModel {
  const { continuing_subword_prefix: prefix, max_input_chars_per_word: longest } = model
  const unknown = vocabulary.get(model.unk_token)!
  return (word) => {
    if (word.length > longest && [...word].length > longest) return wholeWord(word, unknown)
    const ids: number[] = []
    const starts: number[] = []
    const ends: number[] = []
    for (let start = 0; start < word.length;) {
      let end = word.length
      let id: number | undefined
      for (; end > start; end--) {
        // Never between the halves of a surrogate pair.
        if (end < word.length && (word.charCodeAt(end) & 0xfc00) === 0xdc00) continue
        const piece = word.slice(start, end)
        id = vocabulary.get(start > 0 ? prefix + piece : piece)
        if (id !== undefined) break
      }
      if (id === undefined) return wholeWord(word, unknown)
      ids.push(id)
      starts.push(start)
      ends.push(end)
      start = end
    }
    return { ids, starts, ends }
  }
}

/** Every word is a token, or unknown. */
export function wordLevel(model: ModelFile<'WordLevel'>, vocabulary: ReadonlyMap<string, number>): WordModel {
  const unknown = vocabulary.get(model.unk_token)!
  return (word) => wholeWord(word, vocabulary.get(word) ?? unknown)
}
