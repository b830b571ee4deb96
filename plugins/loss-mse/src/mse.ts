import { LOSS, type LossTerm, definePlugin } from '@attune/core'
import { squaredError } from '@attune/nn'
import { z } from 'zod'

/**
 * Squared error: `loss(o, t) = (o − t)²`, the mean over the values of a vector.
 *
 * The training loop averages over the rows: the mean squared error. Without a factor ½, and a mean, not the sum
 * of squares that some textbooks print under this name. As torch.nn.MSELoss. Near neighbour: Huber loss, linear for outliers.
 */
export const mse = definePlugin({
  kind: LOSS,
  name: 'mse',
  summary: 'Squared error (MSE) for numeric targets',
  source: 'Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805',
  options: z.strictObject({
    targets: z
      .enum(['numbers', 'vectors'])
      .default('numbers')
      .describe('numbers: one number per row; vectors: several per row, whose losses are averaged'),
  }),
  create: ({ targets }): LossTerm => ({
    compares: targets,
    losses: (outputs, wanted) => squaredError(outputs, wanted),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'loss mse': typeof mse
  }
}

export default mse
