import type { Params } from '@attune/core'
import { type Scalar, type Tensor, valueAndGrads, zerosLike } from '@tensorflow/tfjs-core'

/** The gradients of a scalar function of parameters, by name; zero for one that the function does not read. */
export function gradientsOf(loss: (params: Params) => Scalar, params: Params): Params {
  const names = Object.keys(params)
  const named = (tensors: readonly Tensor[]): Params => Object.fromEntries(names.map((name, i) => [name, tensors[i]!]))
  const { grads } = valueAndGrads((...tensors: Tensor[]) => loss(named(tensors)))(Object.values(params))
  return named(grads.map((gradient, i) => (gradient as Tensor | null) ?? zerosLike(params[names[i]!]!)))
}
