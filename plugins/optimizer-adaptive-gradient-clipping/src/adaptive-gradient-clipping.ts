import { OPTIMIZER, type Optimizer, definePlugin, mapParams } from '@attune/core'
import { norm } from '@attune/nn'
import { type Tensor, div, less, maximum, mul, sqrt, square, sum, where } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Norm of each unit: of each row of a weight `[out, …]`, keeping dimensions; of a vector as a whole. */
function unitNorm(x: Tensor): Tensor {
  if (x.rank < 2) return norm(x)
  const axes = Array.from({ length: x.rank - 1 }, (_, i) => i + 1)
  return sqrt(sum(square(x), axes, true))
}

/**
 * Adaptive gradient clipping (AGC): scales the gradient of a unit down if its norm exceeds a fraction of the norm of the unit's weights.
 *
 *     gᵢ ← gᵢ · fraction · max(‖wᵢ‖, epsilon) / ‖gᵢ‖     if ‖gᵢ‖ > fraction · max(‖wᵢ‖, epsilon)
 *
 * A link before an optimizer. A unit is a row of a weight `[out, in]`; in GPT-2 checkpoints, whose weights are `[in, out]`, it is an input.
 * Near neighbour: clip-by-norm has one absolute limit for all. The paper leaves the last layer unclipped: restrict the link with `only`.
 */
export const adaptiveGradientClipping = definePlugin({
  kind: OPTIMIZER,
  name: 'adaptive-gradient-clipping',
  summary: 'Adaptive gradient clipping (AGC): relative to the norm of the weights, unit by unit',
  source: 'Brock et al., High-Performance Large-Scale Image Recognition Without Normalization, 2021, equation 3',
  options: z.strictObject({
    fraction: z
      .number()
      .positive()
      .default(0.01)
      .describe('Largest norm of a gradient, relative to that of the weights'),
    epsilon: z.number().positive().default(1e-3).describe('Smallest norm of the weights, so that zero weights train'),
  }),
  create: ({ fraction, epsilon }): Optimizer<Record<never, never>> => ({
    link: 'before',
    init: () => ({}),
    update(grads, state, params) {
      const clip = (g: Tensor, p: Tensor): Tensor => {
        const [limit, length] = [mul(fraction, maximum(unitNorm(p), epsilon)), unitNorm(g)]
        return where(less(length, limit), g, mul(g, div(limit, maximum(length, 1e-6))))
      }
      return { updates: mapParams(clip, grads, params), state }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer adaptive-gradient-clipping': typeof adaptiveGradientClipping
  }
}

export default adaptiveGradientClipping
