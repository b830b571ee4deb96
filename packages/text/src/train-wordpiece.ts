import type { ReportProgress } from '@attune/core'
import { alphabetOf, inOrder } from './alphabet.js'
import { type SpeltWord, trainPairs } from './train-pairs.js'

/** What a vocabulary is to be like. */
export interface WordPieceTraining {
  /** Entries of the vocabulary, special tokens and single characters included; fewer if the words give no more. */
  readonly vocabularySize: number
  /** Pairs rarer than this are not merged. */
  readonly minimumFrequency: number
  /** Tokens with a meaning of their own, which come first. */
  readonly specialTokens: readonly string[]
  /** The most different characters; rarer ones are left out, and words that have them become unknown. */
  readonly alphabetSize: number
  readonly report?: ReportProgress | undefined
}

/** What stands before a piece that does not begin a word. */
export const CONTINUATION = '##'

/** Words as pieces of one character; a character outside the alphabet is left out, as the Rust library does. */
function spell(words: ReadonlyMap<string, number>, ids: ReadonlyMap<string, number>): SpeltWord[] {
  return [...words].map(([word, count]) => ({
    count,
    pieces: [...word].flatMap((char, i) => ids.get(i === 0 ? char : CONTINUATION + char) ?? []),
  }))
}

/** The continuation forms of those characters of an alphabet that stand inside words, in the alphabet's order. */
function continuationsOf(words: ReadonlyMap<string, number>, alphabet: readonly string[]): string[] {
  const inside = new Set<string>()
  for (const word of words.keys()) for (const char of [...word].slice(1)) inside.add(char)
  return alphabet.filter((char) => inside.has(char)).map((char) => CONTINUATION + char)
}

/**
 * Learns a WordPiece vocabulary from word counts: single characters, then, while there is room, the concatenation of the
 * most frequent pair of neighbouring pieces. (The likelihood criterion of the original paper was never published as
 * code; this is what the Hugging Face tokenizers library trains.)
 *
 * Deterministic: of equally frequent pairs the one whose pieces came first is merged. In the Rust library the order of
 * continuation characters, and with it the choice among ties, follows a hash map.
 *
 * Source: Wu et al., Google's Neural Machine Translation System, 2016, section 4.1; Sennrich, Haddow and Birch, Neural
 * Machine Translation of Rare Words with Subword Units, 2016, algorithm 1.
 *
 * @returns the tokens in the order of their ids
 */
export function trainWordPiece(counts: ReadonlyMap<string, number>, options: WordPieceTraining): string[] {
  const words = inOrder(counts)
  const alphabet = alphabetOf(words, options.alphabetSize)
  const tokens = [...new Set([...options.specialTokens, ...alphabet, ...continuationsOf(words, alphabet)])]
  const join = (left: string, right: string): string =>
    left + (right.startsWith(CONTINUATION) ? right.slice(CONTINUATION.length) : right)
  trainPairs({ ...options, tokens, join, words: spell(words, new Map(tokens.map((token, id) => [token, id]))) })
  return tokens
}
