import { SCHEDULER, definePlugin } from '@attune/core'
import { warmup, withWarmup } from '@attune/nn'
import { z } from 'zod'

/**
 * Logistic (sigmoid) decay after a linear warmup: fast at first, then slower and slower.
 *
 *     progress = (step − 1 − warmup) / (steps − warmup)
 *     factor(step) = (step − 1) / warmup                        while step − 1 < warmup
 *                    2 / (1 + exp(steepness · progress))        from then on
 *
 * From 0 to 1 (`from: 0, to: 1`) an option has the value 2 / (1 + exp(−steepness · progress)) − 1 = tanh(steepness · progress / 2), which
 * rises from 0: the schedule of the domain-adversarial loss in DANN. Near neighbour: exponential, whose logarithm is linear.
 */
export const logistic = definePlugin({
  kind: SCHEDULER,
  name: 'logistic',
  summary: 'Logistic (sigmoid) decay after a linear warmup: the adaptation schedule of DANN',
  source: 'Ganin and Lempitsky, Unsupervised Domain Adaptation by Backpropagation, 2015, section 4.1',
  options: withWarmup({
    steepness: z.number().positive().max(1000).default(10).describe('Steepness γ: the higher, the faster the decay'),
  }),
  create: ({ steepness, ...rise }) => warmup(rise, (progress) => 2 / (1 + Math.exp(steepness * progress))),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'scheduler logistic': typeof logistic
  }
}

export default logistic
