import type { Hyper, LossFunction, Params, Regularizer } from '@attune/core'
import { type Tensor, add, mul } from '@tensorflow/tfjs-core'
import { isBiasOrNorm } from '../transformations/add-decayed-weights.js'

/**
 * Regularizer that adds a scalar function of the trainable parameters to the mean loss: `mean + term`. The sum grows
 * by `term · weight`, so that gradient accumulation over micro-batches is exact.
 */
export const penalty = (term: (trainable: Params, hyper: Hyper) => Tensor): Regularizer => ({
  wrap:
    (loss): LossFunction =>
    (call) => {
      const { sum, weight, ...rest } = loss(call)
      return { ...rest, sum: add(sum, mul(term(call.trainable, call.hyper), weight)), weight }
    },
})

/** The parameters that a penalty on weights applies to: without biases and norms, unless `all`. */
export const weightsOf = (trainable: Params, all: boolean): Tensor[] =>
  Object.entries(trainable)
    .filter(([name, { rank }]) => all || !isBiasOrNorm(name, rank))
    .map(([, weight]) => weight)
