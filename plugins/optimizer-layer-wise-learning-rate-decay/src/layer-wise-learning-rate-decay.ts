import { MODEL, OPTIMIZER, type Optimizer, definePlugin } from '@attune/core'
import { mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Layer-wise learning rate decay: multiplies the update of each layer by a factor that falls with the distance from the output.
 *
 *     Δ ← decay^(layers − index) · Δ,   index: 0 for the embeddings, then one by one;   heads: Δ
 *
 * A link after an optimizer: before one that adapts its steps (AdamW), a factor on the gradient would cancel out. Layers are the model's
 * layer groups; parameters in none, as those of a head, keep their updates. The last layer has the factor `decay`, as in BEiT.
 */
export const layerWiseLearningRateDecay = definePlugin({
  kind: OPTIMIZER,
  name: 'layer-wise-learning-rate-decay',
  summary: 'Layer-wise learning rate decay (LLRD): smaller steps for lower layers',
  source: 'Howard and Ruder, ULMFiT, 2018, section 3.2 (discriminative fine-tuning); Bao et al., BEiT, 2022',
  options: z.strictObject({
    decay: z.number().positive().max(1).default(0.9).describe('Factor from each layer to the one below'),
  }),
  needs: { model: MODEL },
  create: ({ decay }, { model: { layers } }): Optimizer<Record<never, never>> => {
    const factor = (name: string): number => {
      const index = layers.findIndex(({ prefixes }) => prefixes.some((prefix) => name.startsWith(prefix)))
      return index < 0 ? 1 : decay ** (layers.length - index)
    }
    return {
      link: 'after',
      init: () => ({}),
      update: (updates, state) => ({
        updates: Object.fromEntries(Object.entries(updates).map(([name, u]) => [name, mul(factor(name), u)])),
        state,
      }),
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer layer-wise-learning-rate-decay': typeof layerWiseLearningRateDecay
  }
}

export default layerWiseLearningRateDecay
