import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Counts of one class. */
interface Tally {
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
}

/** Tallies by label, as a list because a label may be any string. */
type State = readonly (readonly [label: string, tally: Tally])[]

const NONE: Tally = { truePositives: 0, falsePositives: 0, falseNegatives: 0 }
const plus = (a: Tally, b: Tally): Tally => ({
  truePositives: a.truePositives + b.truePositives,
  falsePositives: a.falsePositives + b.falsePositives,
  falseNegatives: a.falseNegatives + b.falseNegatives,
})
const ratio = (numerator: number, denominator: number): number => (denominator === 0 ? 0 : numerator / denominator)
const f1Of = ({ truePositives, falsePositives, falseNegatives }: Tally): number =>
  ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives)
const support = ({ truePositives, falseNegatives }: Tally): number => truePositives + falseNegatives

function merge(a: State, b: State): State {
  const sums = new Map(a)
  for (const [label, tally] of b) sums.set(label, plus(sums.get(label) ?? NONE, tally))
  return [...sums].sort(([x], [y]) => (x < y ? -1 : 1))
}

const average = {
  macro: (tallies: readonly Tally[]) =>
    ratio(
      tallies.reduce((sum, t) => sum + f1Of(t), 0),
      tallies.length,
    ),
  micro: (tallies: readonly Tally[]) => f1Of(tallies.reduce(plus, NONE)),
  weighted: (tallies: readonly Tally[]) =>
    ratio(
      tallies.reduce((sum, t) => sum + f1Of(t) * support(t), 0),
      tallies.reduce((sum, t) => sum + support(t), 0),
    ),
}

/**
 * F1 score, the harmonic mean of precision and recall: `2·TP / (2·TP + FP + FN)`, in [0, 1]. The parts hold precision, recall, F1
 * and support of every class that occurs in predictions or references. A ratio with denominator 0 counts as 0, as in scikit-learn
 * with `zero_division=0`.
 */
export const f1 = definePlugin({
  kind: METRIC,
  name: 'f1',
  summary: 'F1 score: harmonic mean of precision and recall, averaged over classes',
  source: 'van Rijsbergen, Information Retrieval, 1979, chapter 7',
  options: z.strictObject({
    average: z
      .enum(['macro', 'micro', 'weighted'])
      .default('macro')
      .describe(
        '`macro`: unweighted mean over classes; `micro`: from pooled counts; `weighted`: mean weighted by support',
      ),
  }),
  create: (options): Metric<string, string, State> => ({
    name: `${options.average}-f1`,
    compares: 'label',
    direction: 'maximize',
    range: [0, 1],
    init: () => [],
    add: (state, predictions, references) =>
      merge(
        state,
        predictions.flatMap((predicted, i): State => {
          const actual = references[i] as string
          if (predicted === actual) return [[actual, { ...NONE, truePositives: 1 }] as const]
          return [
            [predicted, { ...NONE, falsePositives: 1 }] as const,
            [actual, { ...NONE, falseNegatives: 1 }] as const,
          ]
        }),
      ),
    merge,
    result: (state) => ({
      value: average[options.average](state.map(([, tally]) => tally)),
      parts: Object.fromEntries(
        state.map(([label, tally]) => [
          label,
          {
            precision: ratio(tally.truePositives, tally.truePositives + tally.falsePositives),
            recall: ratio(tally.truePositives, support(tally)),
            f1: f1Of(tally),
            support: support(tally),
          },
        ]),
      ),
    }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric f1': typeof f1
  }
}

export default f1
