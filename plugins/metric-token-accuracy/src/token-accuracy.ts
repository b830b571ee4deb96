import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Counts of tokens. */
interface State {
  readonly correct: number
  readonly total: number
}

type Tokens = readonly string[]

/**
 * Token accuracy: the fraction of reference tokens that are predicted at their position, in [0, 1]; 0 without tokens. A long text
 * counts more than a short one. Tokens that a prediction lacks count as wrong; tokens beyond the reference are ignored.
 */
export const tokenAccuracy = definePlugin({
  kind: METRIC,
  name: 'token-accuracy',
  summary: 'Token accuracy: fraction of tokens that are predicted correctly at their position',
  options: z.strictObject({}),
  create: (): Metric<Tokens, Tokens, State> => ({
    name: 'token-accuracy',
    compares: 'tokens',
    direction: 'maximize',
    range: [0, 1],
    init: () => ({ correct: 0, total: 0 }),
    add: (state, predictions, references) =>
      references.reduce(
        ({ correct, total }, tokens, i) => ({
          correct: correct + tokens.filter((token, at) => token === predictions[i]![at]).length,
          total: total + tokens.length,
        }),
        state,
      ),
    merge: (a, b) => ({ correct: a.correct + b.correct, total: a.total + b.total }),
    result: ({ correct, total }) => ({ value: total === 0 ? 0 : correct / total }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'metric token-accuracy': typeof tokenAccuracy
  }
}

export default tokenAccuracy
