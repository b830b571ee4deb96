import {
  ADAPTER,
  type Adapter,
  ENGINE,
  type Engine,
  type LayerSite,
  type Model,
  type Params,
  RANDOMNESS,
  definePlugin,
} from '@attune/core'
import {
  adaptLayers,
  computeOnce,
  factorInput,
  factorsAt,
  initialLowRank,
  lowRankConfig,
  lowRankOptions,
  lowRankOutput,
  lowRankWeight,
  mergedWeights,
  scaleOf,
  withoutGradient,
} from '@attune/nn'
import { type Tensor, add, div, matMul, maximum, mul, reshape, sqrt, square, sub, sum } from '@tensorflow/tfjs-core'
import { z } from 'zod'

const magnitudeOf = (layer: string): string => `${layer}.lora_magnitude_vector`

/** Lower bound of a norm: keeps an output whose weights are all zero finite. */
const TINY = 1e-12

/** Norms of the weights of each output, `[out]`. */
const normsOf = ({ inputFirst }: Pick<Model, 'inputFirst'>, weight: Tensor): Tensor =>
  sqrt(sum(square(weight), inputFirst === true ? 0 : 1))

/** The magnitudes of unchanged weights, by name. */
function initialMagnitudes(engine: Engine, model: Model, params: Params, layers: readonly string[]): Params {
  const weights = Object.fromEntries(layers.map((layer) => [`${layer}.weight`, params[`${layer}.weight`]!]))
  const norms = (all: Params): Params =>
    Object.fromEntries(layers.map((layer) => [magnitudeOf(layer), normsOf(model, all[`${layer}.weight`]!)]))
  return computeOnce(engine, norms, weights)
}

/** The product `x·Wᵀ` of a layer: its output `y` without the bias, or a product of its own where dropout changed `x`. */
function withoutBias({ name, params, weight, inputFirst }: LayerSite, y: Tensor, dropped: Tensor | undefined): Tensor {
  if (dropped !== undefined) return matMul(dropped, weight!, false, inputFirst !== true)
  const bias = params[`${name}.bias`]
  return bias === undefined ? y : sub(y, bias)
}

/**
 * Weight-decomposed low-rank adaptation (DoRA): the magnitude of each output's weights trains by itself, and LoRA trains their direction.
 *
 *     y = m ⊙ (x·Vᵀ) + b,   V = (W + alpha / rank · B·A) / c,   c = ‖W + alpha / rank · B·A‖ of each output
 *
 * `m` `[out]` starts as the norms of `W`, `A` random and `B` zero, so training starts from the unchanged model. As in section 4.3 of the
 * paper and in peft, `c` is computed in every step, but is a constant in the gradient. The norms are of the rows of `W` `[out, in]`;
 * the paper, which writes weights as `[in, out]`, calls them columns. Dropout applies to all terms of the update, also to the change of
 * magnitude: `x·Wᵀ + b + (m/c − 1) ⊙ (dropout(x)·Wᵀ) + m/c ⊙ alpha / rank · (dropout(x)·Aᵀ)·Bᵀ`. A saved adapter determines the adapted
 * layers, their ranks and scales. It must have peft's `use_dora`.
 */
export const dora = definePlugin({
  kind: ADAPTER,
  name: 'dora',
  summary: 'Weight-decomposed low-rank adaptation (DoRA): trains magnitudes, and directions by LoRA',
  source: 'Liu et al., DoRA: Weight-Decomposed Low-Rank Adaptation, 2024, equation 5 and section 4.3',
  options: z.strictObject(lowRankOptions),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: (options, given): Adapter => ({
    adapt(model, params, { saved } = {}) {
      const extra = (layer: string, [outputs]: readonly [number, number]) => ({ [magnitudeOf(layer)]: [outputs] })
      const { factors, tensors } = initialLowRank({ adapter: 'dora', options, model, params, extra }, given, saved)
      const { layers } = factors
      const fresh = saved === undefined ? initialMagnitudes(given.engine, model, params, layers) : {}
      /** The updated weight before its normalization, and the factor `m / c` of its outputs, `[out]`. */
      const direction = (weight: Tensor, all: Params, layer: string): Tensor =>
        add(weight, lowRankWeight(model, factors, all, layer))
      const factor = (magnitude: Tensor, updated: () => Tensor): Tensor =>
        div(
          magnitude,
          withoutGradient(() => maximum(normsOf(model, updated()), TINY)),
        )
      return adaptLayers(model, params, {
        adapter: 'dora',
        layers,
        tensors: { ...tensors, ...fresh },
        hook: (mode, report) => (site, x, compute) => {
          const [pair, magnitude] = [factorsAt(site), site.params[magnitudeOf(site.name)]]
          if (pair === undefined || magnitude === undefined) return compute(x)
          report(site.name)
          const [y, input] = [compute(x), factorInput(site.name, x, options.dropout, mode)]
          const scaling = factor(magnitude, () => direction(site.weight!, site.params, site.name))
          const base = mul(sub(scaling, 1), withoutBias(site, y, input === x ? undefined : input))
          return add(y, add(base, mul(scaling, lowRankOutput(input, pair, scaleOf(factors, site.name)))))
        },
        merge: (all) =>
          mergedWeights(layers, (layer) => {
            const updated = direction(all[`${layer}.weight`]!, all, layer)
            const scaling = factor(all[magnitudeOf(layer)]!, () => updated)
            return mul(updated, model.inputFirst === true ? scaling : reshape(scaling, [-1, 1]))
          }),
        config: (heads) => ({
          ...lowRankConfig(factors, { dropout: options.dropout, heads, inputFirst: model.inputFirst === true }),
          use_dora: true,
        }),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter dora': typeof dora
  }
}

export default dora
