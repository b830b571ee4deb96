import type { Params } from '@attune/core'
import { type Scalar, engine, zerosLike } from '@tensorflow/tfjs-core'

/** The gradients of a scalar function of parameters, by name; zero for one that the function does not read. */
export function gradientsOf(loss: (params: Params) => Scalar, params: Params): Params {
  const names = Object.keys(params)
  // `valueAndGrads` would throw for a parameter that the function does not read.
  const { grads } = engine().gradients(() => loss(params), Object.values(params), undefined, true)
  return Object.fromEntries(names.map((name, i) => [name, grads[i] ?? zerosLike(params[name]!)]))
}
