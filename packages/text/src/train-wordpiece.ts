import { pairQueue } from './pair-queue.js'

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
}

/** What stands before a piece that does not begin a word. */
export const CONTINUATION = '##'

/** A word as the ids of its pieces, and how often it occurs. */
interface Word {
  pieces: number[]
  readonly count: number
}

const byCode = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!

/** The most frequent characters, in the order of their code points. */
function alphabetOf(words: ReadonlyMap<string, number>, size: number): string[] {
  const counts = new Map<string, number>()
  for (const [word, count] of words) for (const char of word) counts.set(char, (counts.get(char) ?? 0) + count)
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || byCode(a, b))
    .slice(0, size)
    .map(([char]) => char)
    .sort(byCode)
}

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
  word: Word,
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

/** Words as pieces of one character; a character outside the alphabet is left out, as the Rust library does. */
function spell(words: ReadonlyMap<string, number>, ids: ReadonlyMap<string, number>): Word[] {
  return [...words].map(([word, count]) => ({
    count,
    pieces: [...word].flatMap((char, i) => ids.get(i === 0 ? char : CONTINUATION + char) ?? []),
  }))
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
  const words = new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  const alphabet = alphabetOf(words, options.alphabetSize)
  const tokens = [...new Set([...options.specialTokens, ...alphabet, ...continuationsOf(words, new Set(alphabet))])]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const spelt = spell(words, ids)
  const pairs: Pairs = { counts: new Map(), words: new Map() }
  for (const [at, { pieces, count }] of spelt.entries())
    for (let i = 0; i + 1 < pieces.length; i++) addPair(pairs, pieces[i]!, pieces[i + 1]!, count, at)
  const queue = pairQueue()
  const enqueue = (key: number): void => {
    const count = pairs.counts.get(key) ?? 0
    if (count > 0) queue.push({ left: Math.floor(key / 2 ** 26), right: key % 2 ** 26, count })
  }
  for (const key of pairs.counts.keys()) enqueue(key)
  while (tokens.length < options.vocabularySize) {
    const top = queue.pop()
    if (top === undefined || top.count < options.minimumFrequency) break
    const key = pairKey(top.left, top.right)
    if (pairs.counts.get(key) !== top.count) {
      enqueue(key) // its count has changed since it was queued
      continue
    }
    const grown = mergeEverywhere(top, { tokens, ids, spelt, pairs })
    for (const changed of grown) enqueue(changed)
  }
  return tokens
}

/** The continuation forms of the characters that stand inside words. */
function continuationsOf(words: ReadonlyMap<string, number>, alphabet: ReadonlySet<string>): string[] {
  const inside = new Set<string>()
  for (const word of words.keys()) for (const char of [...word].slice(1)) if (alphabet.has(char)) inside.add(char)
  return [...inside].sort(byCode).map((char) => CONTINUATION + char)
}

/** Makes a token of a pair and replaces the pair in every word that has it. Returns the pairs that became more frequent. */
function mergeEverywhere(
  { left, right }: { readonly left: number; readonly right: number },
  { tokens, ids, spelt, pairs }: { tokens: string[]; ids: Map<string, number>; spelt: Word[]; pairs: Pairs },
): Set<number> {
  const token = tokens[left]! + tokens[right]!.slice(tokens[right]!.startsWith(CONTINUATION) ? CONTINUATION.length : 0)
  const merged = ids.get(token) ?? tokens.push(token) - 1
  ids.set(token, merged)
  const key = pairKey(left, right)
  const grown = new Set<number>()
  for (const at of pairs.words.get(key) ?? [])
    for (const changed of mergeIn(spelt[at]!, at, [left, right, merged], pairs)) grown.add(changed)
  pairs.counts.delete(key)
  pairs.words.delete(key)
  return grown
}
