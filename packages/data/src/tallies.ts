import type { Score } from '@attune/core'

/** True positives, false positives and false negatives of one class. */
export interface Tally {
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
}

/** Tallies by class, sorted; a list, because a class may have any name. Plain JSON. */
export type Tallies = readonly (readonly [name: string, tally: Tally])[]

/** Average of the F1 scores of classes: unweighted, from pooled counts, or weighted by support. */
export type Averaging = 'macro' | 'micro' | 'weighted'

/** The tally without counts. */
export const NO_TALLY: Tally = { truePositives: 0, falsePositives: 0, falseNegatives: 0 }

const plus = (a: Tally, b: Tally): Tally => ({
  truePositives: a.truePositives + b.truePositives,
  falsePositives: a.falsePositives + b.falsePositives,
  falseNegatives: a.falseNegatives + b.falseNegatives,
})
const ratio = (numerator: number, denominator: number): number => (denominator === 0 ? 0 : numerator / denominator)
const f1Of = ({ truePositives, falsePositives, falseNegatives }: Tally): number =>
  ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives)
const support = ({ truePositives, falseNegatives }: Tally): number => truePositives + falseNegatives

/** Adds tallies class by class. */
export function mergeTallies(a: Tallies, b: Tallies): Tallies {
  const sums = new Map(a)
  for (const [name, tally] of b) sums.set(name, plus(sums.get(name) ?? NO_TALLY, tally))
  return [...sums].sort(([x], [y]) => (x < y ? -1 : 1))
}

const averages: Readonly<Record<Averaging, (tallies: readonly Tally[]) => number>> = {
  macro: (tallies) =>
    ratio(
      tallies.reduce((sum, t) => sum + f1Of(t), 0),
      tallies.length,
    ),
  micro: (tallies) => f1Of(tallies.reduce(plus, NO_TALLY)),
  weighted: (tallies) =>
    ratio(
      tallies.reduce((sum, t) => sum + f1Of(t) * support(t), 0),
      tallies.reduce((sum, t) => sum + support(t), 0),
    ),
}

/**
 * Averaged F1 score, `2·TP / (2·TP + FP + FN)`, in [0, 1], with precision, recall, F1 and support of every class as parts. A ratio with
 * denominator 0 counts as 0, as in scikit-learn with `zero_division=0`.
 */
export const f1Score = (tallies: Tallies, averaging: Averaging): Score => ({
  value: averages[averaging](tallies.map(([, tally]) => tally)),
  parts: Object.fromEntries(
    tallies.map(([name, tally]) => [
      name,
      {
        precision: ratio(tally.truePositives, tally.truePositives + tally.falsePositives),
        recall: ratio(tally.truePositives, support(tally)),
        f1: f1Of(tally),
        support: support(tally),
      },
    ]),
  ),
})
