import { ADAPTER, type Adapter, ENGINE, RANDOMNESS, definePlugin } from '@attune/core'
import {
  adaptLayers,
  factorInput,
  factorsAt,
  initialLowRank,
  linearLayers,
  lowRankConfig,
  lowRankOptions,
  lowRankOutput,
  lowRankWeight,
  mergedWeights,
  scaleOf,
} from '@attune/nn'
import { add } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { packWeights, plainTables, plainWeight, quantizedLinear, sizesOf, tablesOf } from './quantize-layers.js'

/**
 * QLoRA: LoRA on a model whose linear weights are frozen in 4-bit NormalFloat (NF4).
 *
 *     y = x·dequantize(W)ᵀ + b + alpha / rank · (dropout(x)·Aᵀ)·Bᵀ
 *
 * All linear layers above the embeddings are quantized, in blocks of 64 weights with a scale each; norms, biases and heads
 * stay in float32, and so do embeddings unless `quantizeEmbeddings` is set. A weight is dequantized where it is used, in the forward pass and again in the backward pass. `A` is random and `B` zero
 * at first, so training starts from the quantized model. `merge` returns the dequantized weights with the updates added. A saved adapter
 * has peft's LoRA layout, without the quantized weights. Near neighbor: lora, which keeps the weights in float32.
 */
export const qlora = definePlugin({
  kind: ADAPTER,
  name: 'qlora',
  summary: 'QLoRA: low-rank updates of linear layers whose frozen weights are stored in 4 bits',
  source: 'Dettmers et al., QLoRA: Efficient Finetuning of Quantized LLMs, 2023, sections 2 and 3',
  options: z.strictObject({
    ...lowRankOptions,
    doubleQuantization: z
      .boolean()
      .default(true)
      .describe('Store the scales of the blocks in 8 bits, which takes 4.13 instead of 4.5 bits per weight'),
    quantizeEmbeddings: z
      .boolean()
      .default(false)
      .describe(
        'Store the word embeddings, and an output layer with a row per token, in NF4 too, which bitsandbytes keeps unquantized',
      ),
  }),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  exceptions: { initialFunction: 'the frozen weights are rounded to 4 bits' },
  create: ({ doubleQuantization, quantizeEmbeddings, ...options }, given): Adapter => ({
    async adapt(model, params, { saved } = {}) {
      const { factors, tensors } = initialLowRank(
        { adapter: 'qlora', reads: ['lora', 'rslora'], options, model, params },
        given,
        saved,
      )
      const layers = linearLayers(model, params)
      const sizes = sizesOf(model, params, layers)
      const tables = tablesOf(model, params)
      const packing = { sizes, tables, doubleQuantization, quantizeEmbeddings }
      return adaptLayers(model, params, {
        adapter: 'qlora',
        layers,
        tensors,
        ...(await packWeights(given.engine, model, params, packing)),
        hook: (mode, report) => (site, x, compute) => {
          if (site.kind !== 'linear' || !sizes.has(site.name)) return compute(x)
          report(site.name)
          const y = quantizedLinear(site, x, sizes)
          const pair = factorsAt(site)
          if (pair === undefined) return y
          return add(
            y,
            lowRankOutput(factorInput(site.name, x, options.dropout, mode), pair, scaleOf(factors, site.name)),
          )
        },
        merge: (all) => {
          const adapted = new Set(factors.layers)
          const merged = mergedWeights(layers, (layer) => {
            const weight = plainWeight(model, all, sizes, layer)
            return adapted.has(layer) ? add(weight, lowRankWeight(model, factors, all, layer)) : weight
          })
          return { ...merged, ...plainTables(all, tables) }
        },
        config: (heads) =>
          lowRankConfig(factors, { dropout: options.dropout, heads, inputFirst: model.inputFirst === true }),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter qlora': typeof qlora
  }
}

export default qlora
