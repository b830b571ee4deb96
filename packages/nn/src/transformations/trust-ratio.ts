import { type Tensor, div, greater, logicalAnd, onesLike, where } from '@tensorflow/tfjs-core'

/**
 * Trust ratio of a layer: `numerator / denominator`, both norms `[]`; 1 if one of them is zero, so that zero-initialized weights train.
 * Source: You et al., Large Batch Optimization for Deep Learning, 2020, algorithm 2.
 */
export function trustRatio(numerator: Tensor, denominator: Tensor): Tensor {
  const positive = logicalAnd(greater(numerator, 0), greater(denominator, 0))
  const one = onesLike(denominator)
  return where(positive, div(numerator, where(positive, denominator, one)), one)
}
