import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { binaryFocalLoss, focalLoss } from '@attune/nn'
import { z } from 'zod'

/**
 * Focal loss from logits: cross-entropy with the factor (1 − p)^γ, where p is the probability of the target.
 *
 *     softmax: loss(z, y) = −w_y · (1 − p_y)^γ · ln p_y
 *     sigmoid: loss(z, t) = −mean_c [α · t_c · (1 − p_c)^γ · ln p_c + (1 − α) · (1 − t_c) · p_c^γ · ln(1 − p_c)]
 *
 * `focusing: 0` is cross-entropy. torchvision.ops.sigmoid_focal_loss has α = 0.25 by default; here it is off.
 */
export const focal = definePlugin({
  kind: LOSS,
  name: 'focal',
  summary: 'Focal loss: cross-entropy with a smaller weight for easy examples',
  source: 'Lin et al., Focal Loss for Dense Object Detection, 2017, equation 5',
  options: z
    .strictObject({
      activation: z
        .enum(['softmax', 'sigmoid'])
        .default('softmax')
        .describe('softmax: one class per row; sigmoid: independent classes (multi-label)'),
      focusing: scheduled(z.number().min(0).max(10).default(2)).describe(
        'Exponent γ of the factor (1 − p)^γ; 0: cross-entropy',
      ),
      classWeights: z
        .array(z.number().min(0))
        .min(2)
        .optional()
        .describe('Weight of each class, in the order of the labels; softmax only. Default: 1 for all'),
      alpha: scheduled(z.number().min(0).max(1).optional()).describe(
        'Weight α of positive targets, negative ones have 1 − α; sigmoid only. Default: 1 for both',
      ),
    })
    .refine((o) => o.activation === 'softmax' || o.classWeights === undefined, {
      path: ['classWeights'],
      message: 'applies to softmax only; use alpha with sigmoid',
    })
    .refine((o) => o.activation === 'sigmoid' || o.alpha === undefined, {
      path: ['alpha'],
      message: 'applies to sigmoid only; use classWeights with softmax',
    }),
  create: ({ activation, focusing, classWeights, alpha }): LossTerm =>
    activation === 'softmax'
      ? { compares: 'labels', losses: (logits, labels) => focalLoss(logits, labels, focusing, classWeights) }
      : { compares: 'indicators', losses: (logits, targets) => binaryFocalLoss(logits, targets, focusing, alpha) },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss focal': typeof focal
  }
}

export default focal
