import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { binaryHingeLoss, hingeLoss, summedHingeLoss } from '@attune/nn'
import { z } from 'zod'

/**
 * Hinge loss from logits (scores).
 *
 *     crammer-singer: loss(z, y) = max(0, margin + max_{c ≠ y} z_c − z_y)
 *     weston-watkins: loss(z, y) = Σ_{c ≠ y} max(0, margin + z_c − z_y) / classes
 *     binary:         loss(z, t) = mean_c max(0, margin − (2 t_c − 1) · z_c)
 *
 * Weston–Watkins is torch.nn.MultiMarginLoss. Near neighbour: cross-entropy, which is never 0.
 */
export const hinge = definePlugin({
  kind: LOSS,
  name: 'hinge',
  summary: 'Hinge loss: the margin of a support vector machine, multi-class or binary',
  source: 'Crammer and Singer, Multiclass Kernel-based Vector Machines, 2001, equation 3',
  options: z.strictObject({
    variant: z
      .enum(['crammer-singer', 'weston-watkins', 'binary'])
      .default('crammer-singer')
      .describe(
        'crammer-singer: the strongest other class; weston-watkins: all other classes; binary: every class on its own (multi-label)',
      ),
    margin: scheduled(z.number().positive().max(1000).default(1)).describe('Score difference from which the loss is 0'),
  }),
  create: ({ variant, margin }): LossTerm => {
    if (variant === 'binary')
      return { compares: 'indicators', losses: (scores, targets) => binaryHingeLoss(scores, targets, margin) }
    const ofRows = variant === 'crammer-singer' ? hingeLoss : summedHingeLoss
    return { compares: 'labels', losses: (scores, labels) => ofRows(scores, labels, margin) }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss hinge': typeof hinge
  }
}

export default hinge
