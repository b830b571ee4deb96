import { ADAPTER, type Adapter, ENGINE, definePlugin } from '@attune/core'
import { adaptLayers, modulesToSave } from '@attune/nn'
import { mul, reshape } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { initialScales, mergedScales, scaleOf } from './scales.js'

/**
 * IA³: learned vectors scale the outputs of the key and value projections and the inputs of the second linear layer of each feed-forward
 * block; the weights of the model are frozen.
 *
 *     keys, values: y = l ⊙ (x·Wᵀ + b)          feed-forward: y = (l ⊙ x)·Wᵀ + b
 *
 * The vectors are 1 at first, so training starts from the unchanged model. As in peft, the bias of a scaled output is scaled too, which
 * the paper's models do not have. A head of the objective trains in full. Near neighbour: lora, with a low-rank matrix per layer instead
 * of a vector.
 */
export const ia3 = definePlugin({
  kind: ADAPTER,
  name: 'ia3',
  summary: 'IA³: learned vectors scale keys, values and the inner activations of feed-forward blocks',
  source:
    'Liu et al., Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning, 2022, section 3.3',
  options: z.strictObject({
    targets: z
      .union([z.enum(['keys-values']), z.array(z.string().min(1))])
      .default('keys-values')
      .describe(
        'Linear layers whose outputs are scaled: those of keys and values, or those whose names end in one of these',
      ),
    feedforward: z
      .union([z.enum(['second-layer']), z.array(z.string().min(1))])
      .default('second-layer')
      .describe(
        'Linear layers whose inputs are scaled: the second one of each feed-forward block, or those whose names end in one of these',
      ),
  }),
  needs: { engine: ENGINE },
  create: (options, { engine }): Adapter => ({
    adapt(model, params, { saved } = {}) {
      const { outputs, inputs, tensors } = initialScales({ options, model, params }, engine, saved)
      const scalesInput = new Set(inputs)
      return adaptLayers(model, params, {
        adapter: 'ia3',
        layers: [...outputs, ...inputs],
        tensors,
        hook: (_mode, report) => (site, x, compute) => {
          const scale = site.kind === 'linear' ? site.params[scaleOf(site.name)] : undefined
          if (scale === undefined) return compute(x)
          report(site.name)
          const row = reshape(scale, [1, -1])
          return scalesInput.has(site.name) ? compute(mul(x, row)) : mul(compute(x), row)
        },
        merge: (all) => mergedScales({ outputs, inputs }, model, all),
        config: (heads) => ({
          peft_type: 'IA3',
          task_type: null,
          inference_mode: true,
          target_modules: [...outputs, ...inputs],
          feedforward_modules: inputs,
          fan_in_fan_out: model.inputFirst === true,
          modules_to_save: heads.length === 0 ? null : modulesToSave(heads),
          init_ia3_weights: true,
        }),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter ia3': typeof ia3
  }
}

export default ia3
