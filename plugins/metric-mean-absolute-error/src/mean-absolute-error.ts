import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Sum of the absolute errors, and their number. */
interface State {
  readonly sum: number
  readonly count: number
}

/**
 * Mean absolute error of predicted numbers, `Σ |prediction − reference| / n`, ≥ 0, in the unit of the numbers; 0 without examples.
 * It grows with the size of an error, not with its square, so that single large errors dominate less than in the mean squared error.
 */
export const meanAbsoluteError = definePlugin({
  kind: METRIC,
  name: 'mean-absolute-error',
  summary: 'Mean absolute error of predicted numbers',
  source: 'Willmott and Matsuura, Advantages of the Mean Absolute Error (MAE) over the Root Mean Square Error, 2005',
  options: z.strictObject({}),
  create: (): Metric<number, number, State> => ({
    name: 'mean-absolute-error',
    compares: 'number',
    direction: 'minimize',
    range: [0, Infinity],
    init: () => ({ sum: 0, count: 0 }),
    add: ({ sum, count }, predictions, references) => ({
      sum: predictions.reduce((all, predicted, i) => all + Math.abs(predicted - references[i]!), sum),
      count: count + predictions.length,
    }),
    merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
    result: ({ sum, count }) => ({ value: count === 0 ? 0 : sum / count }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric mean-absolute-error': typeof meanAbsoluteError
  }
}

export default meanAbsoluteError
