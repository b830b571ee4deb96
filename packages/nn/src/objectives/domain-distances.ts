import {
  type Tensor,
  add,
  addN,
  cast,
  div,
  exp,
  eye,
  greater,
  matMul,
  maximum,
  mean,
  mul,
  neg,
  relu,
  reshape,
  square,
  sub,
  sum,
} from '@tensorflow/tfjs-core'
import { stopGradient } from '../engine/stop-gradient.js'
import { rowSums } from '../heads/per-class.js'

/** Minimum squared bandwidth, for vectors that are all equal. */
const TINY = 1e-12

/** 1 if `count` is more than `minimum` for both domains, otherwise 0. */
const both = (counts: readonly [Tensor, Tensor], minimum: number): Tensor =>
  mul(cast(greater(counts[0], minimum), 'float32'), cast(greater(counts[1], minimum), 'float32'))

/**
 * Squared distances of all pairs of rows, `[rows, rows]`. The mean of the rows is subtracted first: the squares of long vectors that are
 * close to one another would cancel.
 */
function squaredDistances(given: Tensor): Tensor {
  const x = sub(given, mean(given, 0, true))
  const lengths = rowSums(square(x))
  const sums = add(reshape(lengths, [-1, 1]), reshape(lengths, [1, -1]))
  return mul(relu(sub(sums, mul(2, matMul(x, x, false, true)))), sub(1, eye(x.shape[0]!)))
}

/**
 * Maximum mean discrepancy (MMD) between the source and the target rows of a batch, squared, with a mean of Gaussian kernels:
 *
 *     MMD² = mean k(s, s′) − 2 · mean k(s, t) + mean k(t, t′),  k(x, y) = mean_b exp(−‖x − y‖² / (b · d̄))
 *
 * It is the biased estimate, which includes the pairs of a row with itself and is never negative. d̄ is the mean squared distance of
 * different rows of the batch; no gradient flows through it. The result is `[]`, and 0 for a batch of one domain.
 * Source: Gretton et al., A Kernel Two-Sample Test, 2012, equation 5; the kernels: Long et al., Deep Adaptation Networks, 2015, section 3,
 * whose published code sums them: its strength is that of this mean divided by their number.
 * @param x vectors, `[batch, width]`
 * @param isSource 1 for source rows and 0 for target rows, float32 `[batch]`
 * @param bandwidths the factors b > 0
 */
export function maximumMeanDiscrepancy(x: Tensor, isSource: Tensor, bandwidths: readonly number[]): Tensor {
  const rows = x.shape[0]!
  const isTarget = sub(1, isSource)
  const counts = [sum(isSource), sum(isTarget)] as const
  const squares = squaredDistances(x)
  const typical = stopGradient(maximum(div(sum(squares), Math.max(1, rows * (rows - 1))), TINY))
  const kernels = bandwidths.map((b) => exp(neg(div(squares, mul(typical, b)))))
  const shares = counts.map((count) => maximum(count, 1))
  const signed = reshape(sub(div(isSource, shares[0]!), div(isTarget, shares[1]!)), [-1, 1]) // [batch, 1]
  return mul(sum(mul(signed, matMul(div(addN(kernels), kernels.length), signed))), both(counts, 0))
}

/** Covariance of the rows whose mask is 1, `[width, width]`, with the divisor n − 1. */
function covariance(x: Tensor, mask: Tensor, count: Tensor): Tensor {
  const weights = reshape(mask, [-1, 1])
  const center = div(sum(mul(x, weights), 0), maximum(count, 1))
  const centered = mul(sub(x, center), weights)
  return div(matMul(centered, centered, true, false), maximum(sub(count, 1), 1))
}

/**
 * CORAL loss: squared Frobenius distance of the covariances of the source and the target rows of a batch, `‖C_S − C_T‖² / (4 · width²)`. It
 * compares second moments only, not the means. The result is `[]`, and 0 for a batch with fewer than two rows of a domain.
 * Source: Sun and Saenko, Deep CORAL, 2016, equations 1 to 3.
 * @param x vectors, `[batch, width]`
 * @param isSource 1 for source rows and 0 for target rows, float32 `[batch]`
 */
export function correlationAlignment(x: Tensor, isSource: Tensor): Tensor {
  const isTarget = sub(1, isSource)
  const counts = [sum(isSource), sum(isTarget)] as const
  const difference = sub(covariance(x, isSource, counts[0]), covariance(x, isTarget, counts[1]))
  return mul(div(sum(square(difference)), 4 * x.shape[1]! ** 2), both(counts, 1))
}
