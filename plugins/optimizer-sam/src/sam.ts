import { OPTIMIZER, type Optimizer, definePlugin, mapParams } from '@attune/core'
import { addScaled, globalNorm } from '@attune/nn'
import { abs, add, div, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Sharpness-aware minimization (SAM): replaces the gradient by that at the worst point nearby, so that a flat minimum is preferred.
 *
 *     e = radius · g / ‖g‖,   g ← ∇f(p + e)              (adaptive: e = radius · p² ⊙ g / ‖p ⊙ g‖)
 *
 * A link before an optimizer. A step costs two gradients. The norm is that of all parameters together. It evaluates the whole batch a second
 * time, so it is rejected with gradient accumulation. Gradient clipping before it has no effect on `e`, and must follow it to have one.
 */
export const sam = definePlugin({
  kind: OPTIMIZER,
  name: 'sam',
  summary: 'Sharpness-aware minimization (SAM): the gradient at the worst point nearby',
  source:
    'Foret et al., Sharpness-Aware Minimization, 2021, algorithm 1; adaptive: Kwon et al., ASAM, 2021, equation 10',
  options: z.strictObject({
    radius: z
      .number()
      .positive()
      .default(0.05)
      .describe('Distance to the perturbed parameters; adaptive: about 0.5 to 2'),
    adaptive: z.boolean().default(false).describe('Measure distances relative to the size of each weight (ASAM)'),
  }),
  create: ({ radius, adaptive }): Optimizer<Record<never, never>> => ({
    link: 'before',
    needsClosure: true,
    init: () => ({}),
    update(grads, state, params, _hyper, closure) {
      const scaled = adaptive ? mapParams((p, g) => mul(abs(p), g), params, grads) : grads
      const directions = adaptive ? mapParams((p, g) => mul(abs(p), g), params, scaled) : grads
      const size = div(radius, add(globalNorm(scaled), 1e-12))
      return { updates: closure!(addScaled(params, size, directions)).grads, state }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer sam': typeof sam
  }
}

export default sam
