import { ADAPTER, type Adapter, ENGINE, type Params, definePlugin } from '@attune/core'
import { adaptLayers, downOf, lowRankConfig, lowRankOptions, lowRankUpdates, scaleOf, upOf } from '@attune/nn'
import { concat, neg } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { residualOf } from './principal-factors.js'
import { onHost, pairOf, resized, startOf } from './start.js'

/** Name of the frozen initial values of a factor. */
const initialOf = (name: string): string => name.replace(/\.lora_([AB])\.weight$/, '.initial_lora_$1.weight')

/** Factors of the difference from the initial update, `B·A − B₀·A₀`: `[A; A₀]` and `[B, −B₀]`, by their names. */
const difference = (layers: readonly string[], all: Params): Params =>
  Object.fromEntries(
    layers.flatMap((layer) => {
      const [down, up] = [downOf(layer), upOf(layer)]
      return [
        [down, concat([all[down]!, all[initialOf(down)]!], 0)],
        [up, concat([all[up]!, neg(all[initialOf(up)]!)], 1)],
      ]
    }),
  )

/**
 * Principal singular values and vectors adaptation (PiSSA): LoRA that starts from the principal components of the weights.
 *
 *     W ≈ U·S·Vᵀ (rank largest),   A = √(S / scale)·Vᵀ,   B = U·√(S / scale),   R = W − scale·B·A
 *     y = x·Rᵀ + b + scale · (dropout(x)·Aᵀ)·Bᵀ,   scale = alpha / rank
 *
 * `A` and `B` train; the residual `R` is frozen instead of `W`. At first `R + scale·B·A` is `W`, so training starts from the
 * unchanged model, but along its largest directions instead of random ones: gradients are larger than LoRA's. The SVD is computed on the
 * host, in float64, once. Saved as plain LoRA of twice the rank for the untouched model, as peft's
 * `path_initial_model_for_weight_conversion` does: `ΔW = scale·(B·A − B₀·A₀) = scale·[B, −B₀]·[A; A₀]`. A saved adapter may be such a
 * file, or peft's unconverted one (`init_lora_weights: pissa`).
 */
export const pissa = definePlugin({
  kind: ADAPTER,
  name: 'pissa',
  summary: 'PiSSA: LoRA that starts from the principal components of the weights',
  source:
    'Meng, Wang and Zhang, PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models, 2024, section 3',
  options: z.strictObject(lowRankOptions),
  needs: { engine: ENGINE },
  create: ({ dropout, ...options }, { engine }): Adapter => ({
    async adapt(model, params, { saved } = {}) {
      const inputFirst = model.inputFirst === true
      const input = {
        adapter: 'pissa',
        reads: ['pissa', 'lora', 'rslora'],
        options: { dropout, ...options },
        model,
        params,
      }
      const { factors, tensors, initial } = await startOf(engine, input, saved)
      const { layers } = factors
      const weights = await onHost(
        engine,
        params,
        layers.map((layer) => `${layer}.weight`),
      )
      const residuals = Object.entries(weights).map(([name, weight]) => {
        const layer = name.slice(0, -'.weight'.length)
        return [name, residualOf({ weight, inputFirst }, pairOf(initial, layer), scaleOf(factors, layer))] as const
      })
      const starts = Object.entries(initial).map(([name, array]) => [initialOf(name), array] as const)
      const frozen = engine.put(Object.fromEntries([...residuals, ...starts])) as Params
      return adaptLayers(model, params, {
        ...lowRankUpdates({ adapter: 'pissa', model, factors, tensors, dropout }),
        frozen,
        config: (heads) => lowRankConfig(resized(factors, 2), { dropout, heads, inputFirst }),
        // Runs within the compiled function that names the tensors of the file.
        saved: (trainable) => ({ ...trainable, ...difference(layers, { ...frozen, ...trainable }) }),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter pissa': typeof pissa
  }
}

export default pissa
