import { ADAPTER, type Adapter, ENGINE, RANDOMNESS, definePlugin } from '@attune/core'
import { adaptLayers, initialLowRank, lowRankOptions, lowRankUpdates } from '@attune/nn'
import { z } from 'zod'

/**
 * Low-rank adaptation (LoRA): the weights of the model are frozen, and low-rank updates of some of its linear layers train.
 *
 *     y = x·Wᵀ + b + alpha / rank · (dropout(x)·Aᵀ)·Bᵀ
 *
 * `A` is random and `B` zero at first, so training starts from the unchanged model. Gradients of the frozen weights are never
 * computed. A head of the objective, and parameters that only such a head uses, train in full, as with peft's
 * `modules_to_save`; a head with a row for each token of the vocabulary is frozen. A saved adapter of peft or Attune determines the
 * adapted layers, their ranks and scales, also those of rsLoRA; dropout is taken from the option.
 */
export const lora = definePlugin({
  kind: ADAPTER,
  name: 'lora',
  summary: 'Low-rank adaptation (LoRA): low-rank updates of linear layers; the base weights stay frozen',
  source: 'Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021, section 4.1',
  options: z.strictObject(lowRankOptions),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: (options, given): Adapter => ({
    adapt(model, params, { saved } = {}) {
      const input = { adapter: 'lora', reads: ['lora', 'rslora'], options, model, params }
      const { factors, tensors } = initialLowRank(input, given, saved)
      const updates = lowRankUpdates({ adapter: 'lora', model, factors, tensors, dropout: options.dropout })
      return adaptLayers(model, params, updates)
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter lora': typeof lora
  }
}

export default lora
