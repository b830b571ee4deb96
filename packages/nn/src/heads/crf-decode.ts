/** Scores of a linear-chain CRF on the host; `transitions` is row-major, from each tag (row) to the next. */
export interface HostCrfScores {
  readonly start: ArrayLike<number>
  readonly end: ArrayLike<number>
  readonly transitions: ArrayLike<number>
}

/** Scores of the tags of each word. */
type Emissions = readonly ArrayLike<number>[]

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Index of the first maximum. */
const argMax = (values: readonly number[]): number => values.indexOf(Math.max(...values))

function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values)
  return top === -Infinity ? top : top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0))
}

/**
 * The most probable tag sequence by the Viterbi algorithm; of equally probable tags the first. No words have no tags.
 * Source: Viterbi, Error bounds for convolutional codes, 1967.
 */
export function viterbi(emissions: Emissions, { start, end, transitions }: HostCrfScores): number[] {
  if (emissions.length === 0) return []
  const tags = range(start.length)
  let best = tags.map((tag) => start[tag]! + emissions[0]![tag]!)
  const from = emissions.slice(1).map((emission) => {
    const chosen = tags.map((to) => argMax(tags.map((tag) => best[tag]! + transitions[tag * tags.length + to]!)))
    best = tags.map((to) => best[chosen[to]!]! + transitions[chosen[to]! * tags.length + to]! + emission[to]!)
    return chosen
  })
  const path = [argMax(best.map((score, tag) => score + end[tag]!))]
  for (const chosen of from.toReversed()) path.unshift(chosen[path[0]!]!)
  return path
}

/** Log-sums over all sequences of the words before each word, by its tag; emissions of the word included. */
function forward(emissions: Emissions, { start, transitions }: HostCrfScores): number[][] {
  const tags = range(start.length)
  const rows: number[][] = []
  for (const emission of emissions) {
    const before = rows.at(-1)
    const into = (to: number): number =>
      before === undefined
        ? start[to]!
        : logSumExp(tags.map((tag) => before[tag]! + transitions[tag * tags.length + to]!))
    rows.push(tags.map((to) => emission[to]! + into(to)))
  }
  return rows
}

/** The same scores for the sequence in reverse. */
const reversed = ({ start, end, transitions }: HostCrfScores): HostCrfScores => {
  const count = start.length
  const flipped = range(count * count).map((at) => transitions[(at % count) * count + Math.floor(at / count)]!)
  return { start: end, end: start, transitions: flipped }
}

/**
 * Posterior probability of each tag at each word, by the forward–backward algorithm.
 * Source: Rabiner, A tutorial on hidden Markov models, 1989, section III.A.
 */
export function crfMarginals(emissions: Emissions, scores: HostCrfScores): number[][] {
  const before = forward(emissions, scores)
  const after = forward(emissions.toReversed(), reversed(scores)).toReversed()
  return emissions.map((emission, at) => {
    const row = before[at]!.map((score, tag) => score + after[at]![tag]! - emission[tag]!)
    const total = logSumExp(row)
    return row.map((score) => Math.exp(score - total))
  })
}
