import { ADAPTER, type Adapter, ENGINE, type HostArray, definePlugin } from '@attune/core'
import {
  asScores,
  largestScores,
  maskedTuning,
  masksOf,
  passLimits,
  passOptions,
  pruningOptions,
  requirePass,
  targetLayers,
} from '@attune/nn'
import { z } from 'zod'
import { inputNorms } from './input-norms.js'

/** `|w_ij| · norm_j`, where `j` is the input feature of a weight. */
function importance({ values, shape }: HostArray, norms: Float64Array, inputFirst: boolean): HostArray {
  const columns = shape[1]!
  const feature = (i: number): number => (inputFirst ? Math.floor(i / columns) : i % columns)
  return { shape, dtype: 'float32', values: Float32Array.from(values, (w, i) => Math.abs(w) * norms[feature(i)]!) }
}

/**
 * Feature importance (Wanda): weights of linear layers are chosen by their absolute value times the norm of their input feature.
 *
 *     S_ij = |W_ij| · ‖X_j‖₂
 *
 * `X_j` are the values of input feature `j` of the layer at all tokens of the training data, without dropout. With `compare: output`, as in
 * the paper, the weights of each output are compared with each other, so that every output keeps the same number. In the mode
 * `zero-and-keep` weights that are not chosen become zero and stay zero; in the mode `freeze` they keep their pretrained values bit for bit.
 * All norms are of the unpruned model; Wanda's code prunes layer by layer and computes the inputs of a layer with the layers before it
 * pruned. Near neighbour: magnitude-pruning, where all norms are 1. Throws AttuneError `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`.
 */
export const featureImportance = definePlugin({
  kind: ADAPTER,
  name: 'feature-importance',
  summary: 'Chooses the weights that train by weight times input activation (Wanda)',
  source: 'Sun et al., A Simple and Effective Pruning Approach for Large Language Models (Wanda), 2024, equation 1',
  options: z.strictObject({
    ...pruningOptions,
    compare: z
      .enum(['output', 'layer', 'global'])
      .default('output')
      .describe('The fraction applies to the weights of each output, of each layer, or of all chosen layers together'),
    ...passOptions,
  }),
  needs: { engine: ENGINE },
  exceptions: { initialFunction: 'zero-and-keep sets weights to zero' },
  create: ({ mode, fraction, targets, compare, batches, batchSize }, { engine }): Adapter => ({
    async adapt(model, params, { pass, choice } = {}) {
      const adapter = 'feature-importance'
      const { inputFirst = false } = model
      const layers = targetLayers(adapter, model, params, targets)
      const weights = Object.fromEntries(layers.map((layer) => [layer, params[`${layer}.weight`]!]))
      const sizes = new Map(layers.map((layer) => [layer, weights[layer]!.shape[inputFirst ? 0 : 1]!]))
      const masks = await masksOf(params, choice, async () => {
        const norms = await inputNorms(requirePass(adapter, pass), model, sizes, passLimits({ batches, batchSize }))
        const scores = Object.fromEntries(
          Object.entries(asScores(await engine.read(weights))).map(([layer, array]) => [
            `${layer}.weight`,
            importance(array, norms[layer]!, inputFirst),
          ]),
        )
        return largestScores(adapter, scores, { fraction, compare, inputFirst })
      })
      return maskedTuning(model, params, { adapter, engine, masks, mode, fromData: true })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter feature-importance': typeof featureImportance
  }
}

export default featureImportance
