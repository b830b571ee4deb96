import type { Params } from '@attune/core'
import { type Tensor, add, customGrad, mean, mul, reshape, rsqrt, square, sub, sum } from '@tensorflow/tfjs-core'
import { parameter } from './parameter.js'

/**
 * `n∘γ` with `n = x/ρ`, `ρ = √(mean x² + epsilon)`, and its gradients in closed form: with `H` the width,
 *
 *     ∂x = (γ∘g − n∘Σ(γ∘g∘n)/H) / ρ,   ∂γ = Σ g∘n
 */
const normalise = (x: Tensor, gamma: Tensor, epsilon: number): Tensor =>
  customGrad((input, weight, save) => {
    const [value, w] = [input as Tensor, weight as Tensor]
    const inverse = rsqrt(add(mean(square(value), -1, true), epsilon))
    const normal = mul(value, inverse)
    ;(save as (tensors: Tensor[]) => void)([normal, inverse, w])
    return {
      value: mul(normal, w),
      gradFunc: (g: Tensor, saved: Tensor[]) => {
        const [n, i, v] = saved as [Tensor, Tensor, Tensor]
        const weighed = mul(g, v)
        const inner = sub(weighed, mul(n, mean(mul(weighed, n), -1, true)))
        return [mul(i, inner), sum(reshape(mul(g, n), [-1, v.shape[0] as number]), 0)]
      },
    }
  })(x, gamma)

/**
 * Root-mean-square normalisation over the last dimension: `x / √(mean x² + epsilon) · γ`, with `γ` from `name.weight`
 * `[width]`. With `offset` 1 the weight is `1 + γ`, as Gemma stores it.
 * Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019, equation 4.
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { rmsNorm } from '@attune/nn'
 * import { tensor1d, tensor2d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const y = rmsNorm({ 'norm.weight': tensor1d([1, 1]) }, 'norm', tensor2d([[1, 7]]), 0)
 * console.log(Array.from(y.dataSync(), (value) => value.toFixed(2))) // [ '0.20', '1.40' ]
 * ```
 */
export function rmsNorm(params: Params, name: string, x: Tensor, epsilon: number, offset: 0 | 1 = 0): Tensor {
  const weight = parameter(params, `${name}.weight`)
  return normalise(x, offset === 0 ? weight : add(weight, offset), epsilon)
}
