import { METRIC, type Metric, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Counts of examples. */
interface State {
  readonly right: number
  readonly all: number
}

/** The share of examples whose predicted label is the true one, in [0, 1]; 0 when there are none. */
export const accuracy = definePlugin({
  kind: METRIC,
  name: 'accuracy',
  summary: 'Share of examples whose predicted label is the true one',
  options: z.strictObject({}),
  create: (): Metric<string, string, State> => ({
    name: 'accuracy',
    compares: 'label',
    direction: 'maximize',
    range: [0, 1],
    init: () => ({ right: 0, all: 0 }),
    add: ({ right, all }, predictions, references) => ({
      right: right + predictions.filter((label, i) => label === references[i]).length,
      all: all + predictions.length,
    }),
    merge: (a, b) => ({ right: a.right + b.right, all: a.all + b.all }),
    result: ({ right, all }) => ({ value: all === 0 ? 0 : right / all }),
  }),
})
export default accuracy
