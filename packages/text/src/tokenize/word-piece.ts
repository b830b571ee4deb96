import type { ModelFile } from './schema.js'
import { makeTrie, prefixesIn } from './token-trie.js'
import { type WordModel, wholeWord } from './word-model.js'

/** Steps per token, and per unit that a lookup of one examines. */
const [STEPS_PER_TOKEN, STEPS_PER_UNIT] = [10, 4]

/** True inside a surrogate pair, which is never split. */
const isInsidePair = (word: string, at: number): boolean =>
  at < word.length && (word.charCodeAt(at) & 0xfc00) === 0xdc00

/**
 * WordPiece tokenization: splits a word from the left into the longest subwords of the vocabulary (greedy longest match first).
 * A word with a part outside the vocabulary is unknown as a whole.
 * Source: Wu et al., Google's Neural Machine Translation System, 2016, section 4.1; greedy search as in BERT.
 */
export function wordPiece(model: ModelFile<'WordPiece'>, vocabulary: ReadonlyMap<string, number>): WordModel {
  const { continuing_subword_prefix: prefix, max_input_chars_per_word: longest } = model
  const unknown = vocabulary.get(model.unk_token)!
  const trie = makeTrie([...vocabulary.keys()])
  const idsByIndex = [...vocabulary.values()]
  let continuing = 0
  for (let at = 0; at < prefix.length && continuing >= 0; at++)
    continuing = trie.child(continuing, prefix.charCodeAt(at)) || -1
  const [first, others] = [prefixesIn(trie), continuing < 0 ? undefined : prefixesIn(trie, continuing)]
  return (word, work) => {
    work.spend(STEPS_PER_TOKEN + word.length)
    const whole = vocabulary.get(word)
    const isShort = word.length <= longest || (word.length <= 2 * longest && [...word].length <= longest)
    if (!isShort || whole !== undefined) return wholeWord(word, isShort ? whole! : unknown)
    const ids: number[] = []
    const starts: number[] = []
    const ends: number[] = []
    let index = -1
    let end = 0
    const found = (at: number, to: number): void => {
      if (!isInsidePair(word, to)) [index, end] = [at, to]
    }
    for (let start = 0; start < word.length; start = end) {
      index = -1
      const examined = start === 0 ? first(word, 0, found) : (others?.(word, start, found) ?? 0)
      work.spend(STEPS_PER_TOKEN + STEPS_PER_UNIT * examined)
      if (index < 0) return wholeWord(word, unknown)
      ids.push(idsByIndex[index]!)
      starts.push(start)
      ends.push(end)
    }
    return { ids, starts, ends }
  }
}

/** Word-level tokenization: each word is one token, or unknown. */
export function wordLevel(model: ModelFile<'WordLevel'>, vocabulary: ReadonlyMap<string, number>): WordModel {
  const unknown = vocabulary.get(model.unk_token)!
  return (word, work) => {
    work.spend(STEPS_PER_TOKEN + word.length)
    return wholeWord(word, vocabulary.get(word) ?? unknown)
  }
}
