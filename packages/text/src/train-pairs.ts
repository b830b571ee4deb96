import type { ReportProgress } from '@attune/core'
import { pairQueue } from './pair-queue.js'

/** A word as the ids of its subwords, and its count. */
export interface SegmentedWord {
  readonly subwords: number[]
  readonly count: number
}

/** Input and limits of pair merging. */
export interface PairMerging {
  /** The words; their subwords are merged in place. */
  readonly words: readonly SegmentedWord[]
  /** Initial tokens, by id; merged tokens are appended. */
  readonly tokens: string[]
  /** Maximum number of tokens. */
  readonly vocabularySize: number
  /** Pairs rarer than this are not merged. */
  readonly minimumFrequency: number
  /** Concatenates two subwords. */
  readonly join: (left: string, right: string) => string
  readonly report?: ReportProgress | undefined
}

/** A merged pair of subwords, by their ids. */
export type Merge = readonly [left: number, right: number]

/** Count of each pair of adjacent subwords, and the words that contain it. */
interface Pairs {
  readonly counts: Map<number, number>
  readonly words: Map<number, Set<number>>
}

/** Key of a pair as one number; ids stay below 2²⁶. */
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

/** Replaces a pair by its merged subword in one word and updates the counts of adjacent pairs. Returns the pairs that grew. */
function mergeIn(
  word: SegmentedWord,
  at: number,
  [left, right, merged]: readonly [number, number, number],
  pairs: Pairs,
): number[] {
  const { subwords, count } = word
  const grown: number[] = []
  for (let i = 0; i + 1 < subwords.length; i++) {
    if (subwords[i] !== left || subwords[i + 1] !== right) continue
    const [previous, next] = [subwords[i - 1], subwords[i + 2]]
    if (previous !== undefined) {
      addPair(pairs, previous, left, -count, at)
      grown.push(addPair(pairs, previous, merged, count, at))
    }
    if (next !== undefined) {
      addPair(pairs, right, next, -count, at)
      grown.push(addPair(pairs, merged, next, count, at))
    }
    subwords.splice(i, 2, merged)
  }
  return grown
}

/** Replaces a pair in every word that contains it. Returns the pairs that became more frequent. */
function mergeEverywhere(
  [left, right, merged]: readonly [number, number, number],
  words: readonly SegmentedWord[],
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

function pairsOf(words: readonly SegmentedWord[]): Pairs {
  const pairs: Pairs = { counts: new Map(), words: new Map() }
  for (const [at, { subwords, count }] of words.entries())
    for (let i = 0; i + 1 < subwords.length; i++) addPair(pairs, subwords[i]!, subwords[i + 1]!, count, at)
  return pairs
}

/**
 * Merges the most frequent pair of adjacent subwords into one token, repeatedly, until the vocabulary is full. Ties go to the
 * pair with smaller ids.
 *
 * Source: Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, algorithm 1.
 *
 * @returns the pairs in the order in which they were merged; the merged tokens are appended to `tokens`
 */
export function trainPairs(options: PairMerging): Merge[] {
  const { words, tokens, vocabularySize, minimumFrequency, join, report } = options
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const pairs = pairsOf(words)
  const queue = pairQueue()
  const enqueue = (key: number): void => {
    const count = pairs.counts.get(key) ?? 0
    if (count > 0) queue.push({ left: Math.floor(key / 2 ** 26), right: key % 2 ** 26, count })
  }
  for (const key of pairs.counts.keys()) enqueue(key)
  const merges: Merge[] = []
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
