import { LOSS, type LossTerm, definePlugin, scheduled } from '@attune/core'
import { huberLoss } from '@attune/nn'
import { z } from 'zod'

/**
 * Huber loss: `d² / 2` where `d = |o − t| ≤ δ`, and `δ · (d − δ / 2)` elsewhere; the mean over the values of a vector.
 *
 * As torch.nn.HuberLoss; torch.nn.SmoothL1Loss is this loss divided by δ. Near neighbours: squared error (δ → ∞, times ½),
 * absolute error (δ → 0, divided by δ).
 */
export const huber = definePlugin({
  kind: LOSS,
  name: 'huber',
  summary: 'Huber loss: squared error near the target, absolute error for outliers',
  source: 'Huber, Robust Estimation of a Location Parameter, 1964, section 4',
  options: z.strictObject({
    delta: scheduled(z.number().positive().default(1)).describe(
      'Difference δ above which the loss is linear, in the unit of the targets',
    ),
    targets: z
      .enum(['numbers', 'vectors'])
      .default('numbers')
      .describe('numbers: one number per row; vectors: several per row, whose losses are averaged'),
  }),
  create: ({ delta, targets }): LossTerm => ({
    compares: targets,
    losses: (outputs, wanted) => huberLoss(outputs, wanted, delta),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss huber': typeof huber
  }
}

export default huber
