import type { ReportProgress } from '@attune/core'
import { pairQueue } from './pair-queue.js'

/** A word as the ids of its pieces, and how often it occurs. */
export interface SpeltWord {
  readonly pieces: number[]
  readonly count: number
}

/** What pairs are merged of, and until when. */
export interface PairMerging {
  /** The words, whose pieces are merged in place. */
  readonly words: readonly SpeltWord[]
  /** The tokens there are, by id; new ones are put behind them. */
  readonly tokens: string[]
  /** As many tokens as there may be. */
  readonly vocabularySize: number
  /** Pairs rarer than this are not merged. */
  readonly minimumFrequency: number
  /** The spelling of two pieces as one. */
  readonly join: (left: string, right: string) => string
  readonly report?: ReportProgress | undefined
}

/** A pair of pieces that became one: their ids. */
export type MergedPair = readonly [left: number, right: number]

/** How often each pair of neighbours occurs, and in which words. */
interface Pairs {
  readonly counts: Map<number, number>
  readonly words: Map<number, Set<number>>
}

/** Pairs are kept under one number; ids stay below 2²⁶. */
const pairKey = (left: number, right: number): number => left * 2 ** 26 + right

function addPair(pairs: Pairs, left: number, right: number, count: number, word: number): number {
  const key = pairKey(left, right)
  pairs.counts.set(key, (pairs.counts.get(key) ?? 0) + count)
  if (count > 0) {
    const words = pairs.words.get(key)
    if (words === undefined) pairs.words.set(key, new Set([word]))
    else words.add(word)
  }
  return key
}

/** Replaces a pair by its merged piece in one word; keeps the counts of the pairs around it. Returns the pairs that grew. */
function mergeIn(
  word: SpeltWord,
  at: number,
  [left, right, merged]: readonly [number, number, number],
  pairs: Pairs,
): number[] {
  const { pieces, count } = word
  const grown: number[] = []
  for (let i = 0; i + 1 < pieces.length; i++) {
    if (pieces[i] !== left || pieces[i + 1] !== right) continue
    const [previous, next] = [pieces[i - 1], pieces[i + 2]]
    if (previous !== undefined) {
      addPair(pairs, previous, left, -count, at)
      grown.push(addPair(pairs, previous, merged, count, at))
    }
    if (next !== undefined) {
      addPair(pairs, right, next, -count, at)
      grown.push(addPair(pairs, merged, next, count, at))
    }
    pieces.splice(i, 2, merged)
  }
  return grown
}

/** Replaces a pair in every word that has it. Returns the pairs that became more frequent. */
function mergeEverywhere(
  [left, right, merged]: readonly [number, number, number],
  words: readonly SpeltWord[],
  pairs: Pairs,
): Set<number> {
  const key = pairKey(left, right)
  const grown = new Set<number>()
  for (const at of pairs.words.get(key) ?? [])
    for (const changed of mergeIn(words[at]!, at, [left, right, merged], pairs)) grown.add(changed)
  pairs.counts.delete(key)
  pairs.words.delete(key)
  return grown
}

function pairsOf(words: readonly SpeltWord[]): Pairs {
  const pairs: Pairs = { counts: new Map(), words: new Map() }
  for (const [at, { pieces, count }] of words.entries())
    for (let i = 0; i + 1 < pieces.length; i++) addPair(pairs, pieces[i]!, pieces[i + 1]!, count, at)
  return pairs
}

/**
 * Makes one token of the most frequent pair of neighbouring pieces, again and again, while there is room. Of equally frequent
 * pairs the one whose pieces have the smaller ids is first.
 *
 * Source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, algorithm 1.
 *
 * @returns the pairs in the order in which they were merged; the tokens they make are in `tokens`
 */
export function trainPairs(given: PairMerging): MergedPair[] {
  const { words, tokens, vocabularySize, minimumFrequency, join, report } = given
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const pairs = pairsOf(words)
  const queue = pairQueue()
  const enqueue = (key: number): void => {
    const count = pairs.counts.get(key) ?? 0
    if (count > 0) queue.push({ left: Math.floor(key / 2 ** 26), right: key % 2 ** 26, count })
  }
  for (const key of pairs.counts.keys()) enqueue(key)
  const merges: MergedPair[] = []
  while (tokens.length < vocabularySize) {
    const top = queue.pop()
    if (top === undefined || top.count < minimumFrequency) break
    const { left, right } = top
    if (pairs.counts.get(pairKey(left, right)) !== top.count) {
      enqueue(pairKey(left, right)) // its count has changed since it was queued
      continue
    }
    const token = join(tokens[left]!, tokens[right]!)
    const merged = ids.get(token) ?? tokens.push(token) - 1
    ids.set(token, merged)
    merges.push([left, right])
    report?.('tokens learned', tokens.length, vocabularySize)
    for (const changed of mergeEverywhere([left, right, merged], words, pairs)) enqueue(changed)
  }
  return merges
}
