import type { Adapter, HostArray } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Scores } from './largest-scores.js'
import { sumOverPass } from './pass-scores.js'
import { type DataPruning, pruneByData } from './prune-by-data.js'

/** A choice of weights by a statistic of the weights and their gradients. */
export interface GradientPruning extends DataPruning {
  /** Summed over the batches of the training data. */
  statistic(weight: Tensor, gradient: Tensor): Tensor
  /** True if the absolute value of the sum is the score. */
  readonly isAbsolute?: boolean
}

const absolute = (scores: Scores): Scores =>
  Object.fromEntries(
    Object.entries(scores).map(([name, array]): [string, HostArray] => [
      name,
      { ...array, values: Float32Array.from(array.values, Math.abs) },
    ]),
  )

/**
 * Trains the weights of linear layers whose score on the training data is largest.
 * @param adapter its name, for errors
 * @throws AttuneError `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`
 */
export const pruneByGradients = (
  adapter: string,
  { statistic, isAbsolute = false, ...pruning }: GradientPruning,
): Adapter =>
  pruneByData(adapter, pruning, async (layers, _model, _params, pass) => {
    const names = layers.map((layer) => `${layer}.weight`)
    const sums = await sumOverPass(pass, names, statistic, pruning.limits)
    return isAbsolute ? absolute(sums) : sums
  })
