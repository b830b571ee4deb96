import type { Params } from '@attune/core'
import { type Tensor, add, matMul, reshape } from '@tensorflow/tfjs-core'
import { besideOf } from './beside-linear.js'
import { parameter } from './parameter.js'

/** How a layer's parameters are laid out. */
export interface LinearOptions {
  /** Whether there is a bias. Default: true. */
  readonly bias?: boolean
  /** Whether the weight is `[in, out]` rather than `[out, in]`, as in GPT-2's checkpoints. Default: false. */
  readonly inputFirst?: boolean
}

/**
 * A fully connected layer: `y = x·Wᵀ + b`, with `W` from `name.weight` `[out, in]` and `b` from `name.bias` `[out]`.
 * `x` is `[…, in]`, the result `[…, out]`. Leading dimensions are folded into one, because one large matrix product is
 * faster on every backend than a batch of small ones. What an adapter computes beside the layer is added.
 */
export function linear(
  params: Params,
  name: string,
  x: Tensor,
  { bias = true, inputFirst = false }: LinearOptions = {},
): Tensor {
  const weight = parameter(params, `${name}.weight`)
  const [first, second] = weight.shape as [number, number]
  const [inputs, outputs] = inputFirst ? [first, second] : [second, first]
  const rows = reshape(x, [-1, inputs])
  const product = matMul(rows, weight, false, !inputFirst)
  const y = bias ? add(product, parameter(params, `${name}.bias`)) : product
  const beside = besideOf(params)?.(params, name, rows)
  return reshape(beside === undefined ? y : add(y, beside), [...x.shape.slice(0, -1), outputs])
}
