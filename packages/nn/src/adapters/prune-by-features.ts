import type { Adapter, HostArray, OnHost, Tree } from '@attune/core'
import { type InputStatistic, foldInputs } from './fold-inputs.js'
import { asScores } from './largest-scores.js'
import { type DataPruning, pruneByData } from './prune-by-data.js'

/** A choice of weights by a statistic of the input features of their layers. */
export interface FeaturePruning<S extends Tree> extends DataPruning, InputStatistic<S> {
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
export const pruneByFeatures = <S extends Tree>(adapter: string, pruning: FeaturePruning<S>): Adapter =>
  pruneByData(adapter, pruning, async (layers, model, params, pass) => {
    const { inputFirst = false } = model
    const weights = Object.fromEntries(layers.map((layer) => [layer, params[`${layer}.weight`]!]))
    const sizes = new Map(layers.map((layer) => [layer, weights[layer]!.shape[inputFirst ? 0 : 1]!]))
    const statistics = await foldInputs(adapter, { pass, model, layers: sizes }, pruning, pruning.limits)
    const scores = Object.entries(asScores(await pruning.engine.read(weights))).map(
      ([layer, array]) =>
        [`${layer}.weight`, scoresOf(array, pruning.importance(statistics[layer]!, layer), inputFirst)] as const,
    )
    return Object.fromEntries(scores)
  })
