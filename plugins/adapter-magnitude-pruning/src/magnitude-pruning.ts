import { ADAPTER, type Adapter, ENGINE, type HostArray, definePlugin } from '@attune/core'
import { asScores, compareOption, largestScores, maskedTuning, pruningOptions, targetLayers } from '@attune/nn'
import { z } from 'zod'

/**
 * Magnitude pruning: weights of linear layers are chosen by `|w|` before training.
 *
 * In the mode `zero-and-keep` the smallest weights become zero and stay zero, everything else trains. In the mode `freeze` only the chosen
 * weights and the head train, and the others keep their pretrained values bit for bit. `chooses: smallest` with `freeze` is PaFi: the weights
 * of the smallest magnitude after pretraining learn the task. Throws AttuneError `BAD_OPTIONS` for `chooses: smallest` with `zero-and-keep`, which
 * would remove the largest weights, `UNKNOWN_TARGET` and `NON_FINITE_SCORES`.
 */
export const magnitudePruning = definePlugin({
  kind: ADAPTER,
  name: 'magnitude-pruning',
  summary: 'Magnitude pruning: chooses the weights that train by their absolute value',
  source:
    'Han et al., Learning both Weights and Connections for Efficient Neural Networks, 2015; Liao, Meng and Monz, Parameter-Efficient Fine-Tuning without Introducing New Latency (PaFi), 2023, section 3.1',
  options: z
    .strictObject({
      ...pruningOptions,
      compare: compareOption,
      chooses: z.enum(['largest', 'smallest']).default('largest').describe('Absolute values of the weights that train'),
    })
    .refine(({ mode, chooses }) => mode === 'freeze' || chooses === 'largest', {
      path: ['chooses'],
      message: 'must be largest with mode zero-and-keep, which removes the other weights: use mode freeze',
    }),
  needs: { engine: ENGINE },
  exceptions: { initialFunction: 'zero-and-keep sets weights to zero' },
  create: ({ mode, fraction, targets, compare, chooses }, { engine }): Adapter => ({
    async adapt(model, params) {
      const layers = targetLayers('magnitude-pruning', model, params, targets)
      const weights = Object.fromEntries(layers.map((layer) => [`${layer}.weight`, params[`${layer}.weight`]!]))
      const sign = chooses === 'largest' ? 1 : -1
      const scores = Object.entries(asScores(await engine.read(weights))).map(([name, array]): [string, HostArray] => [
        name,
        { ...array, values: Float32Array.from(array.values, (w) => sign * Math.abs(w)) },
      ])
      const masks = largestScores('magnitude-pruning', Object.fromEntries(scores), { fraction, compare })
      return maskedTuning(model, params, { adapter: 'magnitude-pruning', engine, masks, mode })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter magnitude-pruning': typeof magnitudePruning
  }
}

export default magnitudePruning
