import type { ReportProgress } from '@attune/core'
import { alphabetOf, inOrder } from './alphabet.js'
import { seedPieces } from './seed-pieces.js'
import { type ScoredPiece, unigramLattice } from './unigram-lattice.js'

/** What a vocabulary is to be like. */
export interface UnigramTraining {
  /** Pieces of the vocabulary, special tokens not counted; fewer if the words give no more. */
  readonly vocabularySize: number
  /** The most different characters; rarer ones are left out and become unknown. At most `vocabularySize`. */
  readonly alphabetSize: number
  readonly report?: ReportProgress | undefined
}

type Words = ReadonlyMap<string, number>

const SEEDS = 1_000_000
const SHRINKING_FACTOR = 0.75
const STEPS_A_ROUND = 2
/** An expected count is never taken for less: a piece that can be needed keeps some probability. */
const LEAST_EXPECTED = 0.5

const isSingle = (piece: string): boolean => piece.length === (piece.codePointAt(0)! > 0xffff ? 2 : 1)

/** The derivative of ln Γ for positive numbers: recurrence to 10, then the asymptotic series. */
function digamma(x: number): number {
  let sum = 0
  for (; x < 10; x++) sum -= 1 / x
  const square = 1 / (x * x)
  return sum + Math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))
}

/**
 * One step of expectation maximisation: the expected count of every piece over all ways to cut the words, by the probabilities
 * that the pieces have; and from these counts the next probabilities, exp(ψ(count) − ψ(sum)), the variational estimate under a
 * sparse Dirichlet prior, which makes rare pieces rarer. Counts below ½ are taken for ½.
 *
 * Source: Kudo, Subword Regularization, 2018, section 3.2; Liang and Klein, Structured Bayesian Nonparametric Models with
 * Variational Inference, 2007.
 *
 * @returns the pieces with their next scores, their expected counts, and the words' log likelihood by the given scores
 */
export function unigramStep(words: Words, pieces: readonly ScoredPiece[]) {
  const lattice = unigramLattice(pieces)
  const expected = new Float64Array(pieces.length)
  let logLikelihood = 0
  for (const [word, count] of words) logLikelihood += count * lattice.expect(word, count, expected)
  const counts = expected.map((count) => Math.max(count, LEAST_EXPECTED))
  const total = digamma(counts.reduce((sum, count) => sum + count, 0))
  const next = pieces.map(([piece], id): ScoredPiece => [piece, digamma(counts[id]!) - total])
  return { pieces: next, expected, logLikelihood }
}

/**
 * What the words lose by each piece: its count times the fall of its logarithm of probability if the next best way to cut it
 * takes its place. `Infinity` for single characters, `-Infinity` for what no best way uses.
 */
function lossesOf(words: Words, pieces: readonly ScoredPiece[]): Float64Array {
  const lattice = unigramLattice(pieces)
  const counts = new Float64Array(pieces.length)
  for (const [word, count] of words) for (const id of lattice.best(word) ?? []) counts[id]! += count
  const sum = counts.reduce((total, count) => total + count, 0)
  return Float64Array.from(pieces, ([piece], id) => {
    const count = counts[id]!
    const instead = isSingle(piece) ? undefined : lattice.best(piece, id)
    if (instead === undefined) return Infinity
    if (count === 0) return -Infinity
    const totalWithout = Math.log(sum + count * (instead.length - 1))
    const without = instead.reduce((score, other) => score + Math.log(counts[other]! + count) - totalWithout, 0)
    return count * (Math.log(count) - Math.log(sum) - without)
  })
}

/** The pieces without those whose loss is least, in their old order; all that are used where `size` allows. */
function prune(words: Words, pieces: readonly ScoredPiece[], size: number): ScoredPiece[] {
  const losses = lossesOf(words, pieces)
  const used = losses.reduce((sum, loss) => sum + (loss > -Infinity ? 1 : 0), 0)
  const room = Math.max(size, Math.min(used, Math.floor(pieces.length * SHRINKING_FACTOR)))
  const order = [...pieces.keys()].sort((a, b) => (losses[a] === losses[b] ? a - b : losses[b]! - losses[a]!))
  const kept = new Set(order.slice(0, room))
  return pieces.filter((_, id) => kept.has(id))
}

/** Words cut where they have characters outside an alphabet. */
function withinAlphabet(words: Words, alphabet: ReadonlySet<string>): Map<string, number> {
  const parts = new Map<string, number>()
  const add = (part: string, count: number): void => {
    if (part !== '') parts.set(part, (parts.get(part) ?? 0) + count)
  }
  for (const [word, count] of words) {
    let part = ''
    for (const character of word) {
      if (alphabet.has(character)) part += character
      else {
        add(part, count)
        part = ''
      }
    }
    add(part, count)
  }
  return parts
}

/**
 * Learns a unigram vocabulary from word counts: begins with all characters and all frequent substrings, fits their probabilities
 * by expectation maximisation, and takes away the pieces without which the words' likelihood falls least, a quarter at a time,
 * until the vocabulary has its size. All characters of the alphabet stay.
 *
 * Differs from the Hugging Face tokenizers library: seeds are weighed by how often their words occur, not by how many words
 * have them; the last pieces go by loss as the others do. Deterministic, whatever the order of the words.
 *
 * Source: Kudo, Subword Regularization: Improving Neural Network Translation Models with Multiple Subword Candidates, 2018,
 * section 3.2.
 *
 * @returns the pieces with the logarithms of their probabilities, most probable first
 */
export function trainUnigram(counts: Words, given: UnigramTraining): ScoredPiece[] {
  const { vocabularySize, alphabetSize, report } = given
  const ordered = inOrder(counts)
  const alphabet = new Set(alphabetOf(ordered, Math.min(alphabetSize, vocabularySize)))
  const words = withinAlphabet(ordered, alphabet)
  const seeds = seedPieces(words, SEEDS)
  const total = Math.log(seeds.reduce((sum, [, weight]) => sum + weight, 0))
  let pieces = seeds.map(([piece, weight]): ScoredPiece => [piece, Math.log(weight) - total])
  for (;;) {
    for (let step = 0; step < STEPS_A_ROUND; step++) {
      report?.('superfluous pieces left out', seeds.length - pieces.length, Math.max(0, seeds.length - vocabularySize))
      pieces = unigramStep(words, pieces).pieces
    }
    if (pieces.length <= vocabularySize) break
    pieces = prune(words, pieces, vocabularySize)
  }
  return pieces.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
}
