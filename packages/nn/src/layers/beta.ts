import type { StepKey } from '@attune/core'
import {
  type Tensor,
  add,
  argMax,
  cast,
  div,
  greater,
  log,
  logicalAnd,
  less,
  maximum,
  mul,
  oneHot,
  reshape,
  sigmoid,
  sqrt,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { keyAt } from './dropout.js'
import { noise } from './noise.js'

/** Proposals for each value. One is rejected with a probability below 0.05, so that all are with less than 10⁻²⁰. */
const PROPOSALS = 16
const TINY = 2 ** -25

/** Logarithms of `count` values of the gamma distribution with shape `alpha` and scale 1. */
function logGamma(key: StepKey, alpha: Tensor | number, count: number): Tensor {
  const d = add(alpha, 2 / 3) // of the gamma distribution with shape alpha + 1
  const x = noise(keyAt(key, 0), [count, PROPOSALS], 'normal')
  const u = maximum(noise(keyAt(key, 1), [count, PROPOSALS], 'uniform'), TINY)
  const root = add(1, div(x, sqrt(mul(9, d))))
  const logV = mul(3, log(maximum(root, TINY)))
  const v = mul(root, square(root))
  const bound = add(mul(0.5, square(x)), mul(d, add(sub(1, v), logV)))
  const accepted = cast(logicalAnd(greater(root, 0), less(log(u), bound)), 'float32')
  const first = oneHot(reshape(cast(argMax(accepted, 1), 'int32'), [count]) as never, PROPOSALS)
  const chosen = sum(mul(cast(first, 'float32'), logV), 1) // [count]
  const boost = div(log(maximum(noise(keyAt(key, 2), [count], 'uniform'), TINY)), alpha)
  return add(add(chosen, log(d)), boost)
}

/**
 * Values of the symmetric Beta distribution Beta(α, α), `[count]`, in [0, 1]: G / (G + G′) of two gamma values. The same key yields the
 * same values on every engine. Gamma values are sampled by rejection; for shapes below 1, from Gamma(α + 1) · U^(1/α).
 * Source: Marsaglia and Tsang, A Simple Method for Generating Gamma Variables, 2000.
 * @param alpha greater than 0; a tensor `[]` if it follows a schedule
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { symmetricBeta } from '@attune/nn'
 * import { mean, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const key = { seed: tensor1d([7, 0], 'int32'), stream: 0 }
 * const average = mean(symmetricBeta(key, 0.4, 1000))
 * console.log(average.dataSync()[0]!.toFixed(1)) // 0.5
 * ```
 */
export const symmetricBeta = (key: StepKey, alpha: Tensor | number, count: number): Tensor =>
  sigmoid(sub(logGamma(keyAt(key, 0), alpha, count), logGamma(keyAt(key, 1), alpha, count)))
