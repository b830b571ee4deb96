import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { absoluteError } from '@attune/nn'
import { z } from 'zod'

/**
 * Absolute error: `loss(o, t) = |o − t|`, the mean over the values of a vector.
 *
 * The training loop averages over the rows: the mean absolute error. Its gradient is the sign of the difference, 0
 * at 0. As torch.nn.L1Loss. Near neighbour: Huber loss, smooth at 0.
 */
export const mae = definePlugin({
  kind: LOSS,
  name: 'mae',
  summary: 'Absolute error (MAE) for numeric targets',
  source: 'Laplace, Sur quelques points du système du monde, 1789',
  options: z.strictObject({
    targets: z
      .enum(['numbers', 'vectors'])
      .default('numbers')
      .describe('numbers: one number per row; vectors: several per row, whose losses are averaged'),
  }),
  create: ({ targets }): LossTerm => ({
    compares: targets,
    losses: (outputs, wanted) => absoluteError(outputs, wanted),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss mae': typeof mae
  }
}

export default mae
