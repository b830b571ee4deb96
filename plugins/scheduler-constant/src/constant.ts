import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'

/**
 * Constant learning rate after a linear warmup from 0: transformers' `get_constant_schedule_with_warmup`. Near neighbour: linear decays
 * towards 0.
 */
export const constant = definePlugin({
  kind: SCHEDULER,
  name: 'constant',
  summary: 'Constant learning rate after a linear warmup',
  source: 'Goyal et al., Accurate, Large Minibatch SGD, 2017, section 2.2',
  options: withWarmup({}),
  create: (options) => warmup(options, () => 1),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler constant': typeof constant
  }
}

export default constant
