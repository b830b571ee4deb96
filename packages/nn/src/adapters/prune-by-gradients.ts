import type { Adapter, Engine, HostArray, PassOptions } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type Comparison, type Scores, largestScores } from './largest-scores.js'
import { type MaskedTuning, maskedTuning } from './masked-tuning.js'
import { masksOf } from './packed-masks.js'
import { requirePass, sumOverPass } from './pass-scores.js'
import { type Targets, targetLayers } from './target-layers.js'

/** A choice of weights by a statistic of the weights and their gradients. */
export interface GradientPruning {
  readonly engine: Engine
  readonly mode: MaskedTuning['mode']
  readonly fraction: number
  readonly targets: Targets
  readonly compare: Comparison
  readonly limits: PassOptions
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
  { engine, mode, fraction, targets, compare, limits, statistic, isAbsolute = false }: GradientPruning,
): Adapter => ({
  async adapt(model, params, { pass, choice } = {}) {
    const names = targetLayers(adapter, model, params, targets).map((layer) => `${layer}.weight`)
    const masks = await masksOf(params, choice, async () => {
      const sums = await sumOverPass(requirePass(adapter, pass), names, statistic, limits)
      return largestScores(adapter, isAbsolute ? absolute(sums) : sums, { fraction, compare })
    })
    return maskedTuning(model, params, { adapter, engine, masks, mode, fromData: true })
  },
})
