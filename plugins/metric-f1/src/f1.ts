import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Of one class: examples predicted as it and being it, only predicted as it, only being it. */
interface Tally {
  readonly hits: number
  readonly falseAlarms: number
  readonly misses: number
}

/** Tallies by label, as a list because a label may be any string. */
type State = readonly (readonly [label: string, tally: Tally])[]

const NONE: Tally = { hits: 0, falseAlarms: 0, misses: 0 }
const plus = (a: Tally, b: Tally): Tally => ({
  hits: a.hits + b.hits,
  falseAlarms: a.falseAlarms + b.falseAlarms,
  misses: a.misses + b.misses,
})
const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
const f1Of = ({ hits, falseAlarms, misses }: Tally): number => ratio(2 * hits, 2 * hits + falseAlarms + misses)
const support = ({ hits, misses }: Tally): number => hits + misses

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
 * F1, the harmonic mean of precision and recall: `2·hits / (2·hits + falseAlarms + misses)`, in [0, 1]. The parts hold
 * precision, recall, F1 and support of every class that occurs on either side; a ratio over nothing counts 0, as in
 * scikit-learn with `zero_division=0`.
 */
export const f1 = definePlugin({
  kind: METRIC,
  name: 'f1',
  summary: 'Harmonic mean of precision and recall',
  source: 'van Rijsbergen, Information Retrieval, 1979, chapter 7',
  options: z.strictObject({
    average: z
      .enum(['macro', 'micro', 'weighted'])
      .default('macro')
      .describe('Mean over classes, one pooled tally, or mean over classes weighted by support'),
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
          if (predicted === actual) return [[actual, { ...NONE, hits: 1 }] as const]
          return [[predicted, { ...NONE, falseAlarms: 1 }] as const, [actual, { ...NONE, misses: 1 }] as const]
        }),
      ),
    merge,
    result: (state) => ({
      value: average[options.average](state.map(([, tally]) => tally)),
      parts: Object.fromEntries(
        state.map(([label, tally]) => [
          label,
          {
            precision: ratio(tally.hits, tally.hits + tally.falseAlarms),
            recall: ratio(tally.hits, support(tally)),
            f1: f1Of(tally),
            support: support(tally),
          },
        ]),
      ),
    }),
  }),
})
export default f1
