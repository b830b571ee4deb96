import { METRIC, type Metric, definePlugin } from '@attune/core'
import { NO_TALLY, type Tallies, f1Score, mergeTallies } from '@attune/data'
import { z } from 'zod'

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
  create: (options): Metric<string, string, Tallies> => ({
    name: `${options.average}-f1`,
    compares: 'label',
    direction: 'maximize',
    range: [0, 1],
    init: () => [],
    add: (state, predictions, references) =>
      mergeTallies(
        state,
        predictions.flatMap((predicted, i): Tallies => {
          const actual = references[i] as string
          if (predicted === actual) return [[actual, { ...NO_TALLY, truePositives: 1 }]]
          return [
            [predicted, { ...NO_TALLY, falsePositives: 1 }],
            [actual, { ...NO_TALLY, falseNegatives: 1 }],
          ]
        }),
      ),
    merge: mergeTallies,
    result: (state) => f1Score(state, options.average),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric f1': typeof f1
  }
}

export default f1
