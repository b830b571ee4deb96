import { ADAPTER, type Adapter, ENGINE, type LayerHook, RANDOMNESS, definePlugin } from '@attune/core'
import { activation, adaptLayers, linear, modulesToSave } from '@attune/nn'
import { add } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { downOf, initialBottlenecks, upOf } from './bottlenecks.js'

/**
 * Bottleneck adapters: a small network with a residual connection after sub-layers of a frozen model; only these networks and the heads
 * train.
 *
 *     y ← y + f(y·Dᵀ + d)·Uᵀ + u
 *
 * `y` is the output of the projection back to the hidden size, before the residual connection of the sub-layer: that of self-attention
 * and of the feed-forward block (Houlsby et al.), or of the feed-forward block only (Pfeiffer et al.). Both matrices are small at first, so
 * training starts near the unchanged model. Near neighbor: lora, which can be merged into the weights.
 *
 * The sub-layer's dropout comes after the adapter. With `feed-forward`, AdapterHub's `seq_bn` differs: its network reads `y` after the
 * residual sum and its layer norm.
 */
export const bottleneck = definePlugin({
  kind: ADAPTER,
  name: 'bottleneck',
  summary: 'Bottleneck adapters: a small trained network with a residual connection after sub-layers of a frozen model',
  source:
    'Houlsby et al., Parameter-Efficient Transfer Learning for NLP, 2019, section 2.1, figure 2; placement: Pfeiffer et al., AdapterFusion, 2020',
  exceptions: {
    initialFunction:
      'the paper initializes both projections near zero, so the function is near the identity, not equal to it',
    merge: 'the network is not linear, so no weight can replace it',
  },
  options: z.strictObject({
    size: z.int().min(1).max(65_536).default(64).describe('Bottleneck size: outputs of the down-projection'),
    activation: z
      .enum(['gelu', 'relu', 'silu', 'tanh'])
      .default('gelu')
      .describe('Activation function between the projections'),
    placement: z
      .union([z.enum(['both', 'feed-forward']), z.array(z.string().min(1)).min(1)])
      .default('both')
      .describe(
        'Position: after self-attention and feed-forward (both), after feed-forward only, or after the linear layers whose names end in one of these',
      ),
  }),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: (options, given): Adapter => ({
    adapt(model, params, { saved } = {}) {
      const { layers, tensors, ...settings } = initialBottlenecks({ options, model, params }, given, saved)
      const nonlinear = activation(settings.activation)
      const adapted = new Set(layers)
      return adaptLayers(model, params, {
        adapter: 'bottleneck',
        layers,
        tensors,
        hook:
          (_mode, report): LayerHook =>
          ({ kind, name, params: all }, x, compute) => {
            const y = compute(x)
            if (kind !== 'linear' || !adapted.has(name)) return y
            report(name)
            return add(y, linear(all, upOf(name), nonlinear(linear(all, downOf(name), y))))
          },
        config: (heads) => ({
          peft_type: 'BOTTLENECK',
          task_type: null,
          inference_mode: true,
          ...settings,
          target_modules: layers,
          modules_to_save: heads.length === 0 ? null : modulesToSave(heads),
        }),
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter bottleneck': typeof bottleneck
  }
}

export default bottleneck
