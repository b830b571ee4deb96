import { ADAPTER, type Adapter, ENGINE, RANDOMNESS, definePlugin } from '@attune/core'
import {
  adaptLayers,
  factorInput,
  factorsAt,
  initialLowRank,
  lowRankConfig,
  lowRankOptions,
  lowRankOutput,
  lowRankWeight,
  mergedWeights,
} from '@attune/nn'
import { add } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Low-rank adaptation (LoRA): the weights of the model are frozen, and low-rank updates of some of its linear layers train.
 *
 *     y = x·Wᵀ + b + alpha / rank · (dropout(x)·Aᵀ)·Bᵀ
 *
 * `A` is random and `B` zero at first, so training starts from the unchanged model. Gradients of the frozen weights are never
 * computed. A head of the objective, and parameters that only such a head uses, train in full, as with peft's
 * `modules_to_save`; a head with a row for each token of the vocabulary is frozen. A saved adapter of peft or Attune determines the
 * adapted layers, the rank and alpha; dropout is taken from the option.
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
      const { factors, tensors } = initialLowRank({ adapter: 'lora', options, model, params }, given, saved)
      const { layers, alpha, rank } = factors
      return adaptLayers(model, params, {
        adapter: 'lora',
        layers,
        tensors,
        hook: (mode, report) => (site, x, compute) => {
          const pair = factorsAt(site)
          if (pair === undefined) return compute(x)
          report(site.name)
          return add(compute(x), lowRankOutput(factorInput(site.name, x, options.dropout, mode), pair, alpha / rank))
        },
        merge: (all) =>
          mergedWeights(layers, (layer) => add(all[`${layer}.weight`]!, lowRankWeight(model, factors, all, layer))),
        config: (heads) =>
          lowRankConfig(factors, { dropout: options.dropout, heads, inputFirst: model.inputFirst === true }),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter lora': typeof lora
  }
}

export default lora
