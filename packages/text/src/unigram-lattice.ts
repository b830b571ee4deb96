import { trieOf } from './tokenize/token-trie.js'

/** A piece with the logarithm of its probability. */
export type ScoredPiece = readonly [piece: string, score: number]

/** The pieces of every way to cut words into pieces, under a unigram model. */
export interface UnigramLattice {
  /** Adds each piece's expected count in `count` words to `expected`; returns the logarithm of the word's probability. */
  expect(word: string, count: number, expected: Float64Array): number
  /** The pieces of the most probable way, last first; without the piece `without`. `undefined` if there is no way. */
  best(word: string, without?: number): number[] | undefined
}

/** ln(eᵃ + eᵇ) */
const addLogarithms = (a: number, b: number): number =>
  a === -Infinity ? b : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))

/** An edge of the lattice: a piece between two places of a word. */
interface Edge {
  readonly id: number
  readonly start: number
  readonly end: number
}

/** The logarithm of the sum over all ways from the beginning to each place, and from each place to the end. */
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
 * The lattices of words under a unigram model, with the sums over all ways by the forward–backward algorithm.
 * Source: Kudo, Subword Regularization, 2018, section 3.2.
 */
export function unigramLattice(pieces: readonly ScoredPiece[]): UnigramLattice {
  const prefixes = trieOf(pieces.map(([piece]) => piece))
  const scores = Float64Array.from(pieces, ([, score]) => score)
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
