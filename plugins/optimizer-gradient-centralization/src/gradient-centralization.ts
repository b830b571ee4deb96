import { OPTIMIZER, type Optimizer, definePlugin, mapParams } from '@attune/core'
import { type Tensor, mean, sub } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Subtracts the mean of each row; vectors pass through. */
function centralize(g: Tensor): Tensor {
  if (g.rank < 2) return g
  const axes = Array.from({ length: g.rank - 1 }, (_, i) => i + 1)
  return sub(g, mean(g, axes, true))
}

/**
 * Gradient centralization: subtracts from the gradient of each weight matrix the mean of each of its rows.
 *
 *     gᵢ ← gᵢ − mean(gᵢ),   for each row i of a weight [out, in]; vectors are unchanged
 *
 * A link before an optimizer. The mean of each row of weights then stays constant: the updates lie in a hyperplane. In GPT-2 checkpoints,
 * whose weights are `[in, out]`, rows are inputs.
 */
export const gradientCentralization = definePlugin({
  kind: OPTIMIZER,
  name: 'gradient-centralization',
  summary: 'Gradient centralization: gradients of weights with zero mean per unit',
  source: 'Yong et al., Gradient Centralization, 2020, equation 1',
  exceptions: {
    leastSquares:
      'reaches 1.3: the mean of each row of the gradient is removed, so the mean of each row of a matrix never changes',
  },
  options: z.strictObject({}),
  create: (): Optimizer<Record<never, never>> => ({
    link: 'before',
    init: () => ({}),
    update: (grads, state) => ({ updates: mapParams(centralize, grads), state }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer gradient-centralization': typeof gradientCentralization
  }
}

export default gradientCentralization
