import { OPTIMIZER, type Optimizer, definePlugin, mapParams } from '@attune/core'
import { clipByGlobalNorm } from '@attune/nn'
import { z } from 'zod'

/** Clips the norm of each tensor by itself. */
const clipEach = (link: Optimizer): Optimizer => ({
  link: 'before',
  init: () => ({}),
  update: (grads, state, params, hyper) => ({
    updates: mapParams((g) => link.update({ g }, {}, params, hyper).updates['g']!, grads),
    state,
  }),
})

/**
 * Gradient clipping by norm: scales the gradient down if its Euclidean norm exceeds `maximum`.
 *
 *     g ← g · min(1, maximum / (‖g‖ + 1e-6))
 *
 * A link before an optimizer. The norm is that of all gradients together or, with `each: tensor`, of each tensor by itself. As
 * torch.nn.utils.clip_grad_norm_. A run has the global form already, as `training.clipNorm`, 1 by default; set that to null, or to a larger
 * value, if this link is used instead.
 */
export const clipByNorm = definePlugin({
  kind: OPTIMIZER,
  name: 'clip-by-norm',
  summary: 'Gradient clipping by norm, of all tensors together or each by itself',
  source: 'Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013, algorithm 1',
  options: z.strictObject({
    maximum: z.number().positive().default(1).describe('Largest Euclidean norm of the gradient'),
    each: z
      .enum(['model', 'tensor'])
      .default('model')
      .describe('Norm of all gradients together, or one norm per tensor'),
  }),
  create: ({ maximum, each }): Optimizer =>
    each === 'model' ? clipByGlobalNorm(maximum) : clipEach(clipByGlobalNorm(maximum)),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer clip-by-norm': typeof clipByNorm
  }
}

export default clipByNorm
