import type { Losses } from '@attune/core'
import { type Tensor, gather, maximum, mul, reshape } from '@tensorflow/tfjs-core'

/** Weight of masked losses, which are 0: the mean of a batch without any other loss is then 0 instead of undefined. */
const TINY = 1e-9

/**
 * Losses of some examples of a batch only: those with `mask` 0 are 0, and do not count in the mean.
 * @param mask 1 or 0 for each example, float32 `[batch]`
 */
export function maskLosses({ losses, weights, examples }: Losses, mask: Tensor): Losses {
  const rows =
    examples === undefined
      ? reshape(mask, [-1, ...new Array<number>(losses.rank - 1).fill(1)])
      : reshape(gather(mask, reshape(examples, [-1]) as never), losses.shape)
  return {
    losses: mul(losses, rows),
    weights: mul(weights, maximum(rows, TINY)),
    ...(examples === undefined ? {} : { examples }),
  }
}
