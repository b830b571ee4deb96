import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Counts of tokens. */
interface State {
  readonly right: number
  readonly all: number
}

type Tokens = readonly string[]

/**
 * The share of tokens that were found, in [0, 1]; 0 when there are none. A long text counts more than a short one. A
 * prediction that is shorter than its reference lacks the rest; what it has beyond the reference is not counted.
 */
export const tokenAccuracy = definePlugin({
  kind: METRIC,
  name: 'token-accuracy',
  summary: 'Share of tokens that are predicted rightly, place by place',
  options: z.strictObject({}),
  create: (): Metric<Tokens, Tokens, State> => ({
    name: 'token-accuracy',
    compares: 'tokens',
    direction: 'maximize',
    range: [0, 1],
    init: () => ({ right: 0, all: 0 }),
    add: (state, predictions, references) =>
      references.reduce(
        ({ right, all }, tokens, i) => ({
          right: right + tokens.filter((token, at) => token === predictions[i]![at]).length,
          all: all + tokens.length,
        }),
        state,
      ),
    merge: (a, b) => ({ right: a.right + b.right, all: a.all + b.all }),
    result: ({ right, all }) => ({ value: all === 0 ? 0 : right / all }),
  }),
})
export default tokenAccuracy
