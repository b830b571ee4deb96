import type { ReportProgress } from '@attune/core'
import { alphabetOf, sortedCounts } from './alphabet.js'
import { seedSubwords } from './seed-subwords.js'
import { type ScoredSubword, unigramLattice } from './unigram-lattice.js'

/** Options of unigram training. */
export interface UnigramTraining {
  /** Number of subwords, without special tokens; smaller if the words yield fewer. */
  readonly vocabularySize: number
  /** Maximum number of distinct characters; rarer ones are left out and become unknown. At most `vocabularySize`. */
  readonly alphabetSize: number
  readonly report?: ReportProgress | undefined
}

type Words = ReadonlyMap<string, number>

const SEEDS = 1_000_000
const SHRINKING_FACTOR = 0.75
const STEPS_A_ROUND = 2
/** Lower bound of expected counts: a subword that may be needed keeps some probability. */
const MINIMUM_EXPECTED = 0.5

const isSingle = (subword: string): boolean => subword.length === (subword.codePointAt(0)! > 0xffff ? 2 : 1)

/** Digamma function (derivative of ln Γ) for positive numbers: recurrence up to 10, then the asymptotic series. */
function digamma(x: number): number {
  let sum = 0
  for (; x < 10; x++) sum -= 1 / x
  const square = 1 / (x * x)
  return sum + Math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))
}

/**
 * One expectation–maximization step. E-step: expected count of each subword over all segmentations of the words under the given
 * probabilities. M-step: new log probabilities ψ(count) − ψ(sum), the variational estimate under a sparse Dirichlet prior, which
 * makes rare subwords rarer. Counts below ½ are raised to ½.
 *
 * Source: Kudo, Subword Regularization, 2018, section 3.2; Liang and Klein, Structured Bayesian Nonparametric Models with
 * Variational Inference, 2007.
 *
 * @returns the subwords with their new scores, their expected counts, and the log likelihood of the words under the given scores
 */
export function unigramStep(words: Words, subwords: readonly ScoredSubword[]) {
  const lattice = unigramLattice(subwords)
  const expected = new Float64Array(subwords.length)
  let logLikelihood = 0
  for (const [word, count] of words) logLikelihood += count * lattice.expect(word, count, expected)
  const counts = expected.map((count) => Math.max(count, MINIMUM_EXPECTED))
  const total = digamma(counts.reduce((sum, count) => sum + count, 0))
  const next = subwords.map(([subword], id): ScoredSubword => [subword, digamma(counts[id]!) - total])
  return { subwords: next, expected, logLikelihood }
}

/**
 * Loss of log likelihood from removing each subword: its count times the decrease of its log probability when its next best
 * segmentation replaces it. `Infinity` for single characters, `-Infinity` for subwords that no best segmentation uses.
 */
function lossesOf(words: Words, subwords: readonly ScoredSubword[]): Float64Array {
  const lattice = unigramLattice(subwords)
  const counts = new Float64Array(subwords.length)
  for (const [word, count] of words) for (const id of lattice.best(word) ?? []) counts[id]! += count
  const sum = counts.reduce((total, count) => total + count, 0)
  return Float64Array.from(subwords, ([subword], id) => {
    const count = counts[id]!
    const instead = isSingle(subword) ? undefined : lattice.best(subword, id)
    if (instead === undefined) return Infinity
    if (count === 0) return -Infinity
    const totalWithout = Math.log(sum + count * (instead.length - 1))
    const without = instead.reduce((score, other) => score + Math.log(counts[other]! + count) - totalWithout, 0)
    return count * (Math.log(count) - Math.log(sum) - without)
  })
}

/** Removes the subwords with the smallest loss and keeps the order; keeps all that are used if `size` allows. */
function prune(words: Words, subwords: readonly ScoredSubword[], size: number): ScoredSubword[] {
  const losses = lossesOf(words, subwords)
  const used = losses.reduce((sum, loss) => sum + (loss > -Infinity ? 1 : 0), 0)
  const room = Math.max(size, Math.min(used, Math.floor(subwords.length * SHRINKING_FACTOR)))
  const order = [...subwords.keys()].sort((a, b) => (losses[a] === losses[b] ? a - b : losses[b]! - losses[a]!))
  const kept = new Set(order.slice(0, room))
  return subwords.filter((_, id) => kept.has(id))
}

/** Splits words at characters outside an alphabet. */
function splitAtUnknown(words: Words, alphabet: ReadonlySet<string>): Map<string, number> {
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
 * Trains a unigram vocabulary on word counts. Starts from all characters and all frequent substrings, fits their probabilities
 * by expectation–maximization, and prunes the subwords with the smallest loss of likelihood, a quarter at a time, until
 * the vocabulary has its size. All characters of the alphabet are kept.
 *
 * Differs from the tokenizers library: seeds are weighted by the counts of their words, not by the number of words that contain
 * them; the last subwords are pruned by loss like the others. Deterministic for any order of the words.
 *
 * Source: Kudo, Subword Regularization: Improving Neural Network Translation Models with Multiple Subword Candidates, 2018,
 * section 3.2.
 *
 * @returns the subwords with their log probabilities, most probable first
 *
 * @example
 * ```ts
 * import { trainUnigram } from '@attune/text'
 * const counts = new Map([['low', 5], ['lower', 2], ['lowest', 1]])
 * const subwords = trainUnigram(counts, { vocabularySize: 9, alphabetSize: 100 })
 * console.log(subwords.slice(0, 2).map(([subword]) => subword)) // [ 'low', 'lower' ]
 * ```
 */
export function trainUnigram(counts: Words, options: UnigramTraining): ScoredSubword[] {
  const { vocabularySize, alphabetSize, report } = options
  const ordered = sortedCounts(counts)
  const alphabet = new Set(alphabetOf(ordered, Math.min(alphabetSize, vocabularySize)))
  const words = splitAtUnknown(ordered, alphabet)
  const seeds = seedSubwords(words, SEEDS)
  const total = Math.log(seeds.reduce((sum, [, weight]) => sum + weight, 0))
  let subwords = seeds.map(([subword, weight]): ScoredSubword => [subword, Math.log(weight) - total])
  for (;;) {
    for (let step = 0; step < STEPS_A_ROUND; step++) {
      report?.('subwords pruned', seeds.length - subwords.length, Math.max(0, seeds.length - vocabularySize))
      subwords = unigramStep(words, subwords).subwords
    }
    if (subwords.length <= vocabularySize) break
    subwords = prune(words, subwords, vocabularySize)
  }
  return subwords.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
}
