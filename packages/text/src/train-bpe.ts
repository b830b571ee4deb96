import type { ReportProgress } from '@attune/core'
import { inOrder } from './alphabet.js'
import { BYTE_CHARACTERS } from './tokenize/byte-level.js'
import { trainPairs } from './train-pairs.js'

/** What a vocabulary is to be like. */
export interface BpeTraining {
  /** Entries of the vocabulary, special tokens and the 256 bytes included; fewer if the words give no more. */
  readonly vocabularySize: number
  /** Pairs rarer than this are not merged. */
  readonly minimumFrequency: number
  /** Tokens with a meaning of their own, which come first. */
  readonly specialTokens: readonly string[]
  readonly report?: ReportProgress | undefined
}

/** What byte-pair encoding learned. */
export interface BpeVocabulary {
  /** The tokens in the order of their ids. */
  readonly tokens: readonly string[]
  /** The pairs of tokens in the order in which they are to be joined. */
  readonly merges: readonly (readonly [left: string, right: string])[]
}

/**
 * Learns byte-pair encoding from counts of words that are written in the characters that stand for bytes (as a byte-level
 * pre-tokenizer makes them): all 256 bytes, then, while there is room, the concatenation of the most frequent pair of
 * neighbouring pieces; of equally frequent pairs the one whose pieces came first.
 *
 * Source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, algorithm 1; Radford
 * et al., Language Models are Unsupervised Multitask Learners, 2019, section 2.2.
 */
export function trainBpe(counts: ReadonlyMap<string, number>, options: BpeTraining): BpeVocabulary {
  const tokens = [...new Set([...options.specialTokens, ...[...BYTE_CHARACTERS].sort()])]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const words = [...inOrder(counts)].map(([word, count]) => ({
    count,
    pieces: [...word].flatMap((char) => ids.get(char) ?? []),
  }))
  const merges = trainPairs({ ...options, tokens, words, join: (left, right) => left + right })
  return { tokens, merges: merges.map(([left, right]) => [tokens[left]!, tokens[right]!]) }
}
