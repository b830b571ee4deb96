import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Counts of one label. */
interface Tally {
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
}

/** Tallies by label, as a list because a label may be any string; and the sum and number of the F1 scores of examples. */
interface State {
  readonly labels: readonly (readonly [label: string, tally: Tally])[]
  readonly examples: { readonly sum: number; readonly count: number }
}

const plus = (a: Tally | undefined, b: Tally): Tally =>
  a === undefined
    ? b
    : {
        truePositives: a.truePositives + b.truePositives,
        falsePositives: a.falsePositives + b.falsePositives,
        falseNegatives: a.falseNegatives + b.falseNegatives,
      }
const f1Of = ({ truePositives, falsePositives, falseNegatives }: Tally): number => {
  const all = 2 * truePositives + falsePositives + falseNegatives
  return all === 0 ? 0 : (2 * truePositives) / all
}

function merge(a: State, b: State): State {
  const sums = new Map(a.labels)
  for (const [label, tally] of b.labels) sums.set(label, plus(sums.get(label), tally))
  return {
    labels: [...sums].sort(([x], [y]) => (x < y ? -1 : 1)),
    examples: { sum: a.examples.sum + b.examples.sum, count: a.examples.count + b.examples.count },
  }
}

/** Counts of one example. */
function stateOf(predicted: readonly string[], actual: readonly string[]): State {
  const [guessed, held] = [new Set(predicted), new Set(actual)]
  const labels = [...new Set([...guessed, ...held])].map((label) => {
    const [isGuessed, isHeld] = [guessed.has(label), held.has(label)]
    return [
      label,
      {
        truePositives: Number(isGuessed && isHeld),
        falsePositives: Number(isGuessed && !isHeld),
        falseNegatives: Number(!isGuessed && isHeld),
      },
    ] as const
  })
  const whole = labels.reduce<Tally | undefined>((sum, [, tally]) => plus(sum, tally), undefined)
  return { labels, examples: { sum: whole === undefined ? 0 : f1Of(whole), count: 1 } }
}

const value = {
  macro: ({ labels }: State) =>
    labels.length === 0 ? 0 : labels.reduce((sum, [, tally]) => sum + f1Of(tally), 0) / labels.length,
  micro: ({ labels }: State) => {
    const whole = labels.reduce<Tally | undefined>((sum, [, tally]) => plus(sum, tally), undefined)
    return whole === undefined ? 0 : f1Of(whole)
  },
  samples: ({ examples: { sum, count } }: State) => (count === 0 ? 0 : sum / count),
}

/**
 * F1 score of sets of labels, in [0, 1]: `2·TP / (2·TP + FP + FN)`, pooled over all labels (`micro`), the mean over the labels that
 * occur (`macro`), or the mean over the examples (`samples`). The parts hold F1 and support of each label. A ratio with
 * denominator 0 counts as 0, as in scikit-learn with `zero_division=0`; an example without predicted and without actual labels
 * therefore counts as 0 under `samples`. Near neighbour: f1 compares one label for each example.
 */
export const multiLabelF1 = definePlugin({
  kind: METRIC,
  name: 'multi-label-f1',
  summary: 'F1 score of sets of labels',
  source: 'Tsoumakas and Katakis, Multi-Label Classification: An Overview, 2007, section 4',
  options: z.strictObject({
    average: z
      .enum(['micro', 'macro', 'samples'])
      .default('micro')
      .describe('`micro`: from pooled counts; `macro`: mean over labels; `samples`: mean over examples'),
  }),
  create: ({ average }): Metric<readonly string[], readonly string[], State> => ({
    name: `${average}-f1`,
    compares: 'labels',
    direction: 'maximize',
    range: [0, 1],
    init: () => ({ labels: [], examples: { sum: 0, count: 0 } }),
    add: (state, predictions, references) =>
      predictions.reduce((sum, predicted, i) => merge(sum, stateOf(predicted, references[i]!)), state),
    merge,
    result: (state) => ({
      value: value[average](state),
      parts: Object.fromEntries(
        state.labels.map(([label, tally]) => [
          label,
          { f1: f1Of(tally), support: tally.truePositives + tally.falseNegatives },
        ]),
      ),
    }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric multi-label-f1': typeof multiLabelF1
  }
}

export default multiLabelF1
