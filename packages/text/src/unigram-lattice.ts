import { trieOf } from './tokenize/token-trie.js'

/** A subword with its log probability. */
export type ScoredSubword = readonly [subword: string, score: number]

/** All segmentations of words into subwords, under a unigram language model. */
export interface UnigramLattice {
  /** Adds each subword's expected count in `count` words to `expected`; returns the log probability of the word. */
  expect(word: string, count: number, expected: Float64Array): number
  /** Ids of the most probable segmentation, last first, without the subword `without`. `undefined` if there is none. */
  best(word: string, without?: number): number[] | undefined
}

/** ln(eᵃ + eᵇ) */
const addLogarithms = (a: number, b: number): number =>
  a === -Infinity ? b : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))

/** An edge of the lattice: a subword between two positions of a word. */
interface Edge {
  readonly id: number
  readonly start: number
  readonly end: number
}

/** Log probability sums over all paths: from the start to each position (forward), and from each position to the end (backward). */
function sums(word: string, edges: readonly Edge[], scores: Float64Array) {
  const forward = new Float64Array(word.length + 1).fill(-Infinity)
  const backward = new Float64Array(word.length + 1).fill(-Infinity)
  forward[0] = backward[word.length] = 0
  for (const { id, start, end } of edges)
    if (forward[start]! > -Infinity) forward[end] = addLogarithms(forward[end]!, forward[start]! + scores[id]!)
  for (const { id, start, end } of edges.toReversed())
    if (backward[end]! > -Infinity) backward[start] = addLogarithms(backward[start]!, backward[end]! + scores[id]!)
  return { forward, backward }
}

/**
 * Segmentation lattices of words under a unigram model, summed over all paths by the forward–backward algorithm.
 * Source: Kudo, Subword Regularization, 2018, section 3.2.
 */
export function unigramLattice(subwords: readonly ScoredSubword[]): UnigramLattice {
  const prefixes = trieOf(subwords.map(([subword]) => subword))
  const scores = Float64Array.from(subwords, ([, score]) => score)
  const edgesOf = (word: string): Edge[] => {
    const edges: Edge[] = []
    for (let start = 0; start < word.length; start++) prefixes(word, start, (id, end) => edges.push({ id, start, end }))
    return edges
  }
  return {
    expect(word, count, expected) {
      const edges = edgesOf(word)
      const { forward, backward } = sums(word, edges, scores)
      const whole = forward[word.length]!
      if (whole === -Infinity) return whole
      for (const { id, start, end } of edges)
        expected[id]! += count * Math.exp(forward[start]! + scores[id]! + backward[end]! - whole)
      return whole
    },
    best(word, without) {
      const gains = new Float64Array(word.length + 1).fill(-Infinity)
      const last: (Edge | undefined)[] = []
      gains[0] = 0
      for (const edge of edgesOf(word)) {
        const gain = gains[edge.start]! + scores[edge.id]!
        if (edge.id === without || gain <= gains[edge.end]!) continue
        gains[edge.end] = gain
        last[edge.end] = edge
      }
      if (gains[word.length] === -Infinity) return undefined
      const way: number[] = []
      for (let end = word.length; end > 0; end = last[end]!.start) way.push(last[end]!.id)
      return way
    },
  }
}
