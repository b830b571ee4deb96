import type { Params } from '@attune/core'
import { type Tensor, add, customGrad, mean, mul, rsqrt, square, sub } from '@tensorflow/tfjs-core'
import { parameter } from './parameter.js'

/**
 * The normalised `x`, with the gradient in closed form: with `n = (x − μ)/σ`,
 *
 *     ∂x = (g − mean(g) − n · mean(g · n)) / σ
 *
 * which keeps two tensors for the backward pass where the tape would keep seven.
 */
const normalise = (x: Tensor, epsilon: number): Tensor =>
  customGrad((input, save) => {
    const value = input as Tensor
    const centred = sub(value, mean(value, -1, true))
    const inverse = rsqrt(add(mean(square(centred), -1, true), epsilon))
    const normal = mul(centred, inverse)
    ;(save as (tensors: Tensor[]) => void)([normal, inverse])
    return {
      value: normal,
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [n, i] = saved as [Tensor, Tensor]
        return mul(i, sub(sub(g, mean(g, -1, true)), mul(n, mean(mul(g, n), -1, true))))
      },
    }
  })(x)

/**
 * Layer normalisation over the last dimension: `(x − μ) / √(σ² + epsilon) · γ + β`, with `γ` from `name.weight` and `β`
 * from `name.bias`, both `[width]`; `σ²` is the biased variance.
 * Source: Ba, Kiros and Hinton, Layer Normalization, 2016.
 */
export const layerNorm = (params: Params, name: string, x: Tensor, epsilon: number): Tensor =>
  add(mul(normalise(x, epsilon), parameter(params, `${name}.weight`)), parameter(params, `${name}.bias`))
