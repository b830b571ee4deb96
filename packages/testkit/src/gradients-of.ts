import type { Params } from '@attune/core'
import { gradients } from '@attune/nn'
import type { Scalar } from '@tensorflow/tfjs-core'

/** The gradients of a scalar function of parameters, by name; zero for one that the function does not read. */
export const gradientsOf = (loss: (params: Params) => Scalar, params: Params): Params =>
  gradients(() => loss(params), params).grads
