import { OPTIMIZER, type Optimizer, definePlugin, mapParams } from '@attune/core'
import { clipByValue as clip } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Gradient clipping by value: clips each coordinate of the gradient to `[−maximum, maximum]`.
 *
 *     g ← max(−maximum, min(maximum, g))
 *
 * A link before an optimizer. Near neighbour: clip-by-norm keeps the direction of the gradient; this does not. As
 * torch.nn.utils.clip_grad_value_. A run clips the global norm first, unless `training.clipNorm` is null.
 */
export const clipByValue = definePlugin({
  kind: OPTIMIZER,
  name: 'clip-by-value',
  summary: 'Gradient clipping by value',
  source: 'Mikolov, Statistical Language Models Based on Neural Networks, 2012, section 3.2.2',
  options: z.strictObject({
    maximum: z.number().positive().default(1).describe('Largest absolute value of a coordinate of the gradient'),
  }),
  create: ({ maximum }): Optimizer<Record<never, never>> => ({
    link: 'before',
    init: () => ({}),
    update: (grads, state) => ({ updates: mapParams((g) => clip(g, -maximum, maximum), grads), state }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer clip-by-value': typeof clipByValue
  }
}

export default clipByValue
