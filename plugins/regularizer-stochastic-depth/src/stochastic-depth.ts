import { type LayerHook, REGULARIZER, definePlugin, scheduled } from '@attune/core'
import { aroundLayers, keyAt, noise } from '@attune/nn'
import { add, cast, div, greaterEqual, mul, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Separates the skipped layers from the dropout masks of a layer. */
const STREAM = 505

/**
 * Stochastic depth (LayerDrop): skips each layer of the model with a probability, in training.
 *
 *     h ← h                                       with probability p
 *     h ← h + (layer(h) − h) / (1 − p)            otherwise, with `scaled`; layer(h) without it
 *     p = rate (uniform), or rate · l / L for layer l of L (linear)
 *
 * Not scaled, as in LayerDrop, is right for layers that end in a norm (BERT). `scaled` keeps the expectation of the residual branches, as
 * drop-path in timm does, for layers that start with one (GPT-2, Llama, ModernBERT). Huang et al. do not scale in training, and multiply by
 * 1 − p in inference; here inference is unchanged. A skipped layer is computed and masked, so it saves no time. A layer whose input and
 * output differ in shape is not skipped. Applies to models with a stack of layers.
 */
export const stochasticDepth = definePlugin({
  kind: REGULARIZER,
  name: 'stochastic-depth',
  summary: 'Stochastic depth: skips layers at random in training',
  source:
    'Huang et al., Deep Networks with Stochastic Depth, 2016, equation 4; Fan, Grave and Joulin, Reducing Transformer Depth on Demand with Structured Dropout, 2020',
  options: z.strictObject({
    rate: scheduled(z.number().min(0).max(0.95).default(0.1)).describe('Probability of skipping the last layer'),
    decay: z.enum(['linear', 'uniform']).default('linear').describe('Probabilities of the earlier layers'),
    unit: z.enum(['example', 'batch']).default('example').describe('Skip a layer for single examples, or for a batch'),
    scaled: z.boolean().default(false).describe('Divide the change by a layer that is not skipped by 1 − p'),
  }),
  create: ({ rate, decay, unit, scaled }) => ({
    wrap: (loss) => (call) => {
      if (!call.mode.training) return loss(call)
      const skipping: NonNullable<LayerHook['layer']> = ({ index, count, key }, x, compute) => {
        const y = compute()
        if (String(x.shape) !== String(y.shape)) return y
        const p = decay === 'uniform' ? rate : mul(rate, (index + 1) / count)
        const kept = cast(
          greaterEqual(noise(keyAt(key, STREAM), [unit === 'batch' ? 1 : x.shape[0]!, 1, 1], 'uniform'), p),
          'float32',
        )
        return add(x, mul(scaled ? div(kept, sub(1, p)) : kept, sub(y, x)))
      }
      return loss({ ...call, hook: aroundLayers(skipping, call.hook) })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'regularizer stochastic-depth': typeof stochasticDepth
  }
}

export default stochasticDepth
