import type { Adapter, Engine, HostArray, OnHost, PassOptions, Tree } from '@attune/core'
import { type InputStatistic, foldInputs } from './fold-inputs.js'
import { type Comparison, asScores, largestScores } from './largest-scores.js'
import { type MaskedTuning, maskedTuning } from './masked-tuning.js'
import { masksOf } from './packed-masks.js'
import { requirePass } from './pass-scores.js'
import { type Targets, targetLayers } from './target-layers.js'

/** A choice of weights by a statistic of the input features of their layers. */
export interface FeaturePruning<S extends Tree> extends InputStatistic<S> {
  readonly engine: Engine
  readonly mode: MaskedTuning['mode']
  readonly fraction: number
  readonly targets: Targets
  readonly compare: Comparison
  readonly limits: PassOptions
  /** Importance of each input feature of a layer, `[in]`, non-negative. */
  importance(statistic: OnHost<S>, layer: string): Float64Array
}

/** `|w_ij| · importance_j`, where `j` is the input feature of a weight. */
function scoresOf({ values, shape }: HostArray, importance: Float64Array, inputFirst: boolean): HostArray {
  const columns = shape[1]!
  const feature = (i: number): number => (inputFirst ? Math.floor(i / columns) : i % columns)
  return { shape, dtype: 'float32', values: Float32Array.from(values, (w, i) => Math.abs(w) * importance[feature(i)]!) }
}

/**
 * Trains the weights of linear layers with the largest absolute value times the importance of their input feature, which is computed from the
 * inputs of the layer at all tokens of the training data, without dropout.
 * @param adapter its name, for errors
 * @throws AttuneError `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`
 */
export const pruneByFeatures = <S extends Tree>(
  adapter: string,
  { engine, mode, fraction, targets, compare, limits, importance, ...statistic }: FeaturePruning<S>,
): Adapter => ({
  async adapt(model, params, { pass, choice } = {}) {
    const { inputFirst = false } = model
    const layers = targetLayers(adapter, model, params, targets)
    const weights = Object.fromEntries(layers.map((layer) => [layer, params[`${layer}.weight`]!]))
    const sizes = new Map(layers.map((layer) => [layer, weights[layer]!.shape[inputFirst ? 0 : 1]!]))
    const masks = await masksOf(params, choice, async () => {
      const from = { pass: requirePass(adapter, pass), model, layers: sizes }
      const statistics = await foldInputs(adapter, from, statistic, limits)
      const scores = Object.entries(asScores(await engine.read(weights))).map(
        ([layer, array]) =>
          [`${layer}.weight`, scoresOf(array, importance(statistics[layer]!, layer), inputFirst)] as const,
      )
      return largestScores(adapter, Object.fromEntries(scores), { fraction, compare, inputFirst })
    })
    return maskedTuning(model, params, { adapter, engine, masks, mode, fromData: true })
  },
})
