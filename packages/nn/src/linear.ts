import type { Params } from '@attune/core'
import { type Tensor, add, matMul, reshape } from '@tensorflow/tfjs-core'
import { parameter } from './parameter.js'

/**
 * A fully connected layer: `y = x·Wᵀ + b`, with `W` from `name.weight` `[out, in]` and `b` from `name.bias` `[out]`.
 * `x` is `[…, in]`, the result `[…, out]`. Leading dimensions are folded into one, because one large matrix product is
 * faster on every backend than a batch of small ones.
 */
export function linear(params: Params, name: string, x: Tensor): Tensor {
  const weight = parameter(params, `${name}.weight`)
  const [outputs, inputs] = weight.shape as [number, number]
  const flat = reshape(x, [-1, inputs])
  const y = add(matMul(flat, weight, false, true), parameter(params, `${name}.bias`))
  return reshape(y, [...x.shape.slice(0, -1), outputs])
}
