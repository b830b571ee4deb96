import { ADAPTER, type Adapter, ENGINE, type LayerHook, RANDOMNESS, definePlugin } from '@attune/core'
import { adaptLayers, factorInput, mergedWeights, modulesToSave, targetsOption } from '@attune/nn'
import { add } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { initialVectors, projectionNames, toPeftVera, vectorsAt, veraOutput, veraWeight } from './vectors.js'

/**
 * VeRA (vector-based random matrix adaptation): as LoRA, with random matrices `A` and `B` that are frozen and shared by all layers; only
 * two vectors of each layer train.
 *
 *     y = x·Wᵀ + b + λb ⊙ ((λd ⊙ (dropout(x)·Aᵀ))·Bᵀ)
 *
 * A layer uses the first columns of `A` and the first rows of `B`, which have the size of the largest layer. `λb` is 0 at first, so
 * training starts from the unchanged model. A head of the objective trains in full. Near neighbor: lora, whose matrices train.
 */
export const vera = definePlugin({
  kind: ADAPTER,
  name: 'vera',
  summary: 'VeRA: vectors scale frozen random low-rank matrices that all layers share',
  source: 'Kopiczko, Blankevoort and Asano, VeRA: Vector-based Random Matrix Adaptation, 2024, section 3',
  options: z.strictObject({
    rank: z.int().min(1).max(65536).default(256).describe('Rank of the shared matrices, larger than with LoRA'),
    initialScale: z
      .number()
      .positive()
      .max(1000)
      .default(0.1)
      .describe('Initial value of the vectors that scale the columns of B'),
    dropout: z.number().min(0).lt(1).default(0).describe('Dropout probability on the input of the update'),
    targets: targetsOption,
  }),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: (options, given): Adapter => ({
    adapt(model, params, { saved } = {}) {
      const vectors = initialVectors({ options, model, params }, given, saved)
      const { layers, rank, tensors, projections } = vectors
      const adapted = adaptLayers(model, params, {
        adapter: 'vera',
        layers,
        tensors,
        frozen: projections,
        hook: (mode, report) =>
          Object.assign(
            ((site, x, compute) => {
              const own = vectorsAt(site, layers, x)
              if (own === undefined) return compute(x)
              report(site.name)
              return add(compute(x), veraOutput(factorInput(site.name, x, options.dropout, mode), own))
            }) satisfies LayerHook,
            { reads: projectionNames(layers) },
          ),
        merge: (all) =>
          mergedWeights(layers, (layer) => add(all[`${layer}.weight`]!, veraWeight(model, layers, all, layer))),
        config: (heads) => ({
          peft_type: 'VERA',
          task_type: null,
          inference_mode: true,
          r: rank,
          target_modules: layers,
          vera_dropout: options.dropout,
          d_initial: options.initialScale,
          projection_prng_key: 0,
          save_projection: true,
          fan_in_fan_out: model.inputFirst === true,
          bias: 'none',
          modules_to_save: heads.length === 0 ? null : modulesToSave(heads),
          init_weights: true,
        }),
      })
      return { ...adapted, tensors: (trainable) => toPeftVera(vectors, trainable) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter vera': typeof vera
  }
}

export default vera
