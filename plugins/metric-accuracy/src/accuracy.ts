import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Counts of examples. */
interface State {
  readonly correct: number
  readonly total: number
}

/** Accuracy: the fraction of examples whose predicted label is correct, in [0, 1]; 0 without examples. */
export const accuracy = definePlugin({
  kind: METRIC,
  name: 'accuracy',
  summary: 'Accuracy: fraction of examples whose predicted label is correct',
  options: z.strictObject({}),
  create: (): Metric<string, string, State> => ({
    name: 'accuracy',
    compares: 'label',
    direction: 'maximize',
    range: [0, 1],
    init: () => ({ correct: 0, total: 0 }),
    add: ({ correct, total }, predictions, references) => ({
      correct: correct + predictions.filter((label, i) => label === references[i]).length,
      total: total + predictions.length,
    }),
    merge: (a, b) => ({ correct: a.correct + b.correct, total: a.total + b.total }),
    result: ({ correct, total }) => ({ value: total === 0 ? 0 : correct / total }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric accuracy': typeof accuracy
  }
}

export default accuracy
