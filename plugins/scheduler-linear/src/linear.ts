import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'

/**
 * Linear decay towards 0 after a linear warmup from 0 to 1.
 *
 *     factor(step) = (step − 1) / warmup                         while step − 1 < warmup
 *                    (steps − step + 1) / (steps − warmup)       from then on
 *
 * This is `get_linear_schedule_with_warmup` of transformers: `factor(t)` is the value of its LambdaLR at `t − 1`, the rate of the t-th
 * update. So with a warmup the first update has factor 0, and the last one has `1 / (steps − warmup)`, not 0. Near neighbour: cosine stays
 * high for longer and then decays faster.
 */
export const linear = definePlugin({
  kind: SCHEDULER,
  name: 'linear',
  summary: 'Linear decay after a linear warmup',
  source: 'Devlin et al., BERT, 2019, appendix A.2',
  options: withWarmup({}),
  create: (options) => warmup(options, (progress) => 1 - progress),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler linear': typeof linear
  }
}

export default linear
