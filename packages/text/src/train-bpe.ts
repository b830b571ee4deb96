import type { ReportProgress } from '@attune/core'
import { sortedCounts } from './alphabet.js'
import { BYTE_CHARACTERS } from './tokenize/byte-level.js'
import { trainPairs } from './train-pairs.js'

/** Options of BPE training. */
export interface BpeTraining {
  /** Vocabulary size, including special tokens and the 256 bytes; smaller if the words have no more pairs to merge. */
  readonly vocabularySize: number
  /** Pairs rarer than this are not merged. */
  readonly minimumFrequency: number
  /** Special tokens; they get the first ids. */
  readonly specialTokens: readonly string[]
  readonly report?: ReportProgress | undefined
}

/** A trained BPE vocabulary. */
export interface BpeVocabulary {
  /** Tokens in the order of their ids. */
  readonly tokens: readonly string[]
  /** Pairs of tokens in the order in which they are merged. */
  readonly merges: readonly (readonly [left: string, right: string])[]
}

/**
 * Trains byte-level byte-pair encoding (BPE) on word counts. The words are in the characters that stand for bytes, as a
 * byte-level pre-tokenizer returns them. Starts from the 256 bytes and merges the most frequent pair of adjacent subwords until
 * the vocabulary is full; ties go to the subwords with smaller ids.
 *
 * Source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, algorithm 1; Radford
 * et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2.
 *
 * @example
 * ```ts
 * import { trainBpe } from '@attune/text'
 * const counts = new Map([['low', 5], ['lower', 2]])
 * const { merges } = trainBpe(counts, { vocabularySize: 258, minimumFrequency: 2, specialTokens: [] })
 * console.log(merges) // [ [ 'l', 'o' ], [ 'lo', 'w' ] ]
 * ```
 */
export function trainBpe(counts: ReadonlyMap<string, number>, options: BpeTraining): BpeVocabulary {
  const tokens = [...new Set([...options.specialTokens, ...[...BYTE_CHARACTERS].sort()])]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const words = [...sortedCounts(counts)].map(([word, count]) => ({
    count,
    subwords: [...word].flatMap((char) => ids.get(char) ?? []),
  }))
  const merges = trainPairs({ ...options, tokens, words, join: (left, right) => left + right })
  return { tokens, merges: merges.map(([left, right]) => [tokens[left]!, tokens[right]!]) }
}
