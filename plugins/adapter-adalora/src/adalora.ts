import { ADAPTER, type Adapter, ENGINE, type LayerHook, type Model, RANDOMNESS, definePlugin } from '@attune/core'
import {
  type AllocationOptions,
  adaptLayers,
  allocateRanks,
  factorInput,
  mergedWeights,
  modulesToSave,
  targetsOption,
  tripletOf,
} from '@attune/nn'
import { add, matMul, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { initialTriplets, tripletWeight } from './triplets.js'

const share = (what: string, standard: number) => z.number().min(0).lt(1).default(standard).describe(what)

/** Content of peft's `adapter_config.json`. peft requires a schedule, which is over: `rank_pattern` would repeat it. */
const peftConfig = (
  given: AllocationOptions & { layers: readonly string[]; rank: number; alpha: number; dropout: number },
  { inputFirst }: Model,
  heads: readonly string[],
) => ({
  peft_type: 'ADALORA',
  task_type: null,
  inference_mode: true,
  init_r: given.rank,
  target_r: given.targetRank,
  lora_alpha: given.alpha,
  lora_dropout: given.dropout,
  orth_reg_weight: given.orthogonality,
  beta1: given.sensitivityDecay,
  beta2: given.uncertaintyDecay,
  deltaT: given.every,
  tinit: 0,
  tfinal: 0,
  total_step: 1,
  target_modules: given.layers,
  fan_in_fan_out: inputFirst === true,
  bias: 'none',
  modules_to_save: heads.length === 0 ? null : modulesToSave(heads),
  rank_pattern: null,
})

/**
 * AdaLoRA: each layer's update is a truncated SVD, and a budget of singular values moves to the layers where they matter most; the weights
 * of the model are frozen.
 *
 *     y = x·Wᵀ + b + alpha / initialRank · ((dropout(x)·Qᵀ) ⊙ λᵀ)·Pᵀ
 *
 * `λ` is 0 at first. After each step, the importance of a triplet is that of its singular value plus the mean over its two vectors; the
 * importance of a weight is the product of its smoothed sensitivity `|w·∂L/∂w|` and of the smoothed deviation from it. The budget is
 * constant during `warmup`, falls as a cubic function of the step, and is `targetRank` per layer on average during `final`; the singular
 * values outside of the budget are set to 0. The gradient of an orthogonal regularization, `‖PᵀP − I‖ + ‖Q·Qᵀ − I‖` with Frobenius norms,
 * is added to that of the loss; the reported loss is without it.
 *
 * As in peft, the sensitivity is that of the weights after the step, and the norms of the regularization are not squared (equation 4 of
 * the paper squares them) and averaged over all factors. Near neighbor: lora, with the same rank for all layers.
 */
export const adalora = definePlugin({
  kind: ADAPTER,
  name: 'adalora',
  summary: 'AdaLoRA: low-rank updates in the form of an SVD; a budget of singular values moves to the important layers',
  source:
    'Zhang et al., AdaLoRA: Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning, 2023, section 3, algorithm 1',
  options: z
    .strictObject({
      initialRank: z.int().min(1).max(4096).default(12).describe('Initial rank of each layer'),
      targetRank: z
        .int()
        .min(1)
        .max(4096)
        .optional()
        .describe('Mean rank of the layers at the end. Default: two thirds of the initial rank'),
      alpha: z
        .number()
        .positive()
        .max(100_000)
        .default(16)
        .describe('Scale of the update, which is multiplied by alpha / initialRank'),
      dropout: share('Dropout probability on the input of the update', 0),
      targets: targetsOption,
      warmup: share('Fraction of the steps before the budget falls', 0.1),
      final: share('Fraction of the steps after the budget has reached its target', 0.3),
      every: z.int().min(1).max(1_000_000).default(1).describe('Steps between two allocations'),
      sensitivityDecay: share('Fraction of the smoothed sensitivity kept at each step', 0.85),
      uncertaintyDecay: share('Fraction of the smoothed uncertainty kept at each step', 0.85),
      orthogonality: z.number().min(0).max(1000).default(0.5).describe('Weight of the orthogonal regularization'),
    })
    .refine(({ initialRank, targetRank }) => (targetRank ?? 1) <= initialRank, {
      path: ['targetRank'],
      message: 'expected at most `initialRank`: the budget only falls',
    })
    .refine(({ warmup, final }) => warmup + final < 1, {
      path: ['final'],
      message: 'expected `warmup + final < 1`: the budget falls in the steps between them',
    }),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: (options, given): Adapter => ({
    adapt(model, params, { saved } = {}) {
      const { layers, rank, alpha, tensors } = initialTriplets({ options, model, params }, given, saved)
      const targetRank = Math.min(rank, options.targetRank ?? Math.max(1, Math.round((2 * rank) / 3)))
      const [adapted, scale] = [new Set(layers), alpha / (rank + 1e-5)]
      return {
        ...adaptLayers(model, params, {
          adapter: 'adalora',
          layers,
          tensors,
          hook:
            (mode, report): LayerHook =>
            (site, x, compute) => {
              if (site.kind !== 'linear' || !adapted.has(site.name)) return compute(x)
              report(site.name)
              const { a, e, b } = tripletOf(site.params, site.name)
              const inner = matMul(factorInput(site.name, x, options.dropout, mode), mul(a, e), false, true)
              return add(compute(x), mul(matMul(inner, b, false, true), scale))
            },
          merge: (all) =>
            mergedWeights(layers, (layer) => add(all[`${layer}.weight`]!, tripletWeight(model, all, layer, scale))),
          config: (heads) => peftConfig({ ...options, targetRank, layers, rank, alpha }, model, heads),
        }),
        wrapOptimizer: (optimizer) => allocateRanks(layers, { ...options, targetRank }, optimizer),
      }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter adalora': typeof adalora
  }
}

export default adalora
