import type { Params } from '@attune/core'
import { gradients } from '@attune/nn'
import type { Scalar } from '@tensorflow/tfjs-core'

/** Gradients of a scalar function of parameters, by name; zero for parameters that the function does not use. */
export const gradientsOf = (loss: (params: Params) => Scalar, params: Params): Params =>
  gradients(() => loss(params), params).grads
