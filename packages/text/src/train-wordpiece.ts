import type { ReportProgress } from '@attune/core'
import { alphabetOf, sortedCounts } from './alphabet.js'
import { type SegmentedWord, trainPairs } from './train-pairs.js'

/** Options of WordPiece training. */
export interface WordPieceTraining {
  /** Vocabulary size, including special tokens and single characters; smaller if the words have no more pairs to merge. */
  readonly vocabularySize: number
  /** Pairs rarer than this are not merged. */
  readonly minimumFrequency: number
  /** Special tokens; they get the first ids. */
  readonly specialTokens: readonly string[]
  /** Maximum number of distinct characters; rarer ones are left out, and words that contain them become unknown. */
  readonly alphabetSize: number
  readonly report?: ReportProgress | undefined
}

/** Prefix of a subword that does not begin a word. */
export const CONTINUATION = '##'

/** Splits words into subwords of one character; characters outside the alphabet are dropped, as in the Rust library. */
function segment(words: ReadonlyMap<string, number>, ids: ReadonlyMap<string, number>): SegmentedWord[] {
  return [...words].map(([word, count]) => ({
    count,
    subwords: [...word].flatMap((char, i) => ids.get(i === 0 ? char : CONTINUATION + char) ?? []),
  }))
}

/** Continuation forms of the characters of an alphabet that occur inside words, in the alphabet's order. */
function continuationsOf(words: ReadonlyMap<string, number>, alphabet: readonly string[]): string[] {
  const inside = new Set<string>()
  for (const word of words.keys()) for (const char of [...word].slice(1)) inside.add(char)
  return alphabet.filter((char) => inside.has(char)).map((char) => CONTINUATION + char)
}

/**
 * Trains a WordPiece vocabulary on word counts. Starts from single characters and merges the most frequent pair of adjacent
 * subwords until the vocabulary is full. (The likelihood criterion of the original paper was never published as code; this is
 * the criterion of the tokenizers library.)
 *
 * Deterministic: ties go to the pair with smaller ids. In the Rust library the order of continuation characters, and with it
 * the choice among ties, follows a hash map.
 *
 * Source: Wu et al., Google's Neural Machine Translation System, 2016, section 4.1; Sennrich, Haddow and Birch, Neural
 * Machine Translation of Rare Words with Subword Units, 2016, algorithm 1.
 *
 * @returns the tokens in the order of their ids
 *
 * @example
 * ```ts
 * import { trainWordPiece } from '@attune/text'
 * const counts = new Map([['low', 5], ['lower', 2]])
 * const options = { vocabularySize: 8, minimumFrequency: 2, specialTokens: ['[UNK]'], alphabetSize: 100 }
 * console.log(trainWordPiece(counts, options).join(' ')) // [UNK] e l o r w ##e ##o ##r ##w
 * ```
 */
export function trainWordPiece(counts: ReadonlyMap<string, number>, options: WordPieceTraining): string[] {
  const words = sortedCounts(counts)
  const alphabet = alphabetOf(words, options.alphabetSize)
  const tokens = [...new Set([...options.specialTokens, ...alphabet, ...continuationsOf(words, alphabet)])]
  const join = (left: string, right: string): string =>
    left + (right.startsWith(CONTINUATION) ? right.slice(CONTINUATION.length) : right)
  trainPairs({ ...options, tokens, join, words: segment(words, new Map(tokens.map((token, id) => [token, id]))) })
  return tokens
}
