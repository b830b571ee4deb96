import { ADAPTER, type Adapter, ENGINE, RANDOMNESS, definePlugin } from '@attune/core'
import { adaptLayers, initialLowRank, lowRankOptions, lowRankUpdates } from '@attune/nn'
import { z } from 'zod'

/**
 * Rank-stabilized LoRA (rsLoRA): LoRA whose update is scaled by alpha / √rank.
 *
 *     y = x·Wᵀ + b + alpha / √rank · (dropout(x)·Aᵀ)·Bᵀ
 *
 * With LoRA's alpha / rank the update and its gradients shrink as the rank grows, so that a larger rank trains like a small one; with
 * alpha / √rank their size does not depend on the rank. At equal alpha its update is √rank times that of LoRA. A saved adapter determines
 * the adapted layers, their ranks and alphas; dropout is taken from the option. It must have peft's `use_rslora`.
 */
export const rslora = definePlugin({
  kind: ADAPTER,
  name: 'rslora',
  summary: 'Rank-stabilized LoRA (rsLoRA): LoRA with its update scaled by alpha / √rank',
  source: 'Kalajdzievski, A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA, 2023, section 3',
  options: z.strictObject({
    ...lowRankOptions,
    alpha: lowRankOptions.alpha.describe('Scale of the update, which is multiplied by alpha / √rank'),
  }),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: (options, given): Adapter => ({
    adapt(model, params, { saved } = {}) {
      const input = { adapter: 'rslora', stabilized: true, options, model, params }
      const { factors, tensors } = initialLowRank(input, given, saved)
      const updates = lowRankUpdates({ adapter: 'rslora', model, factors, tensors, dropout: options.dropout })
      return adaptLayers(model, params, updates)
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter rslora': typeof rslora
  }
}

export default rslora
