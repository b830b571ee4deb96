import type { Model, Params } from '@attune/core'
import { add } from '@tensorflow/tfjs-core'
import { type LayerMethod, mergedWeights } from './adapt-layers.js'
import { type Factors, factorInput, factorsAt, lowRankOutput, lowRankWeight, scaleOf } from './low-rank.js'
import { lowRankConfig } from './peft-lora-config.js'

/** An adapter with low-rank updates: its name for errors, and what it adapts. */
export interface LowRankUpdates {
  readonly adapter: string
  readonly model: Model
  readonly factors: Factors
  /** The factors, and heads of a saved adapter, by name. */
  readonly tensors: Params
  /** Dropout probability on the input of the updates. */
  readonly dropout: number
}

/**
 * Low-rank updates of linear layers, on activations: neither the gradient of a frozen weight nor its sum with the update is
 * materialized.
 *
 *     y = x·Wᵀ + b + scale · (dropout(x)·Aᵀ)·Bᵀ
 *
 * Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2021, section 4.1.
 */
export const lowRankUpdates = ({ adapter, model, factors, tensors, dropout }: LowRankUpdates): LayerMethod => ({
  adapter,
  layers: factors.layers,
  tensors,
  hook: (mode, report) => (site, x, compute) => {
    const pair = factorsAt(site)
    if (pair === undefined) return compute(x)
    report(site.name)
    const input = factorInput(site.name, x, dropout, mode)
    return add(compute(x), lowRankOutput(input, pair, scaleOf(factors, site.name)))
  },
  merge: (all) =>
    mergedWeights(factors.layers, (layer) => add(all[`${layer}.weight`]!, lowRankWeight(model, factors, all, layer))),
  config: (heads) => lowRankConfig(factors, { dropout, heads, inputFirst: model.inputFirst === true }),
})
