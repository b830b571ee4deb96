import type { Losses } from '@attune/core'
import { type Tensor, add, div, exp, mul } from '@tensorflow/tfjs-core'

/**
 * Losses of a task with a learned uncertainty, `exp(−s) · L + s / 2`: a task whose loss stays high gets less weight.
 * Source: Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty to Weigh Losses, 2018, equation 10.
 * @param logVariance s = ln σ², `[]`, initially 0
 */
export const weightByUncertainty = (own: Losses, logVariance: Tensor): Losses => ({
  ...own,
  losses: add(div(own.losses, exp(logVariance)), mul(logVariance, 0.5)),
})
