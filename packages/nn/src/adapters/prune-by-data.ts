import type { Adapter, DataPass, Engine, Model, Params, PassOptions } from '@attune/core'
import { type Comparison, type Scores, largestScores } from './largest-scores.js'
import { type MaskedTuning, maskedTuning } from './masked-tuning.js'
import { masksOf } from './packed-masks.js'
import { requirePass } from './pass-scores.js'
import { type Targets, targetLayers } from './target-layers.js'

/** A choice of weights of linear layers by scores that are computed from the training data. */
export interface DataPruning {
  readonly engine: Engine
  readonly mode: MaskedTuning['mode']
  readonly fraction: number
  readonly targets: Targets
  readonly compare: Comparison
  readonly limits: PassOptions
}

/** Computes the scores of the weights of layers, by parameter name. */
type ScoreLayers = (layers: readonly string[], model: Model, params: Params, pass: DataPass) => Promise<Scores>

/**
 * Trains the weights of linear layers with the largest scores.
 * @param adapter its name, for errors
 * @throws AttuneError `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`
 */
export const pruneByData = (
  adapter: string,
  { engine, mode, fraction, targets, compare }: DataPruning,
  scoreLayers: ScoreLayers,
): Adapter => ({
  async adapt(model, params, { pass, choice } = {}) {
    const { inputFirst = false } = model
    const layers = targetLayers(adapter, model, params, targets)
    const masks = await masksOf(params, choice, async () => {
      const scores = await scoreLayers(layers, model, params, requirePass(adapter, pass))
      return largestScores(adapter, scores, { fraction, compare, inputFirst })
    })
    return maskedTuning(model, params, { adapter, engine, masks, mode, fromData: true })
  },
})
