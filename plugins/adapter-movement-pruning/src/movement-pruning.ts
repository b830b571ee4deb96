import { ADAPTER, ENGINE, definePlugin } from '@attune/core'
import { compareOption, passLimits, passOptions, pruneByGradients, pruningOptions } from '@attune/nn'
import { mul, neg } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Movement pruning: weights of linear layers are chosen before training by the movement that gradient descent would give them.
 *
 *     S = Σ −w · ∂L/∂w
 *
 * A weight that gradient descent moves away from zero has a positive score, one that it shrinks a negative score. The sum is over the
 * batches of one pass over the training data at the pretrained weights, without dropout: the first step of the paper, which sums over the
 * steps of a whole training. In the mode `zero-and-keep` weights that are not chosen become zero and stay zero; in the mode `freeze` they
 * keep their pretrained values bit for bit. Near neighbour: the score `sensitivity` of gradient-pruning is the absolute value. Throws
 * AttuneError `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`.
 */
export const movementPruning = definePlugin({
  kind: ADAPTER,
  name: 'movement-pruning',
  summary: 'Movement pruning: chooses the weights that the gradient moves away from zero',
  source: 'Sanh, Wolf and Rush, Movement Pruning: Adaptive Sparsity by Fine-Tuning, 2020, section 3 and equation 4',
  options: z.strictObject({ ...pruningOptions, compare: compareOption, ...passOptions }),
  needs: { engine: ENGINE },
  exceptions: { initialFunction: 'zero-and-keep sets weights to zero' },
  create: ({ batches, batchSize, ...options }, { engine }) =>
    pruneByGradients('movement-pruning', {
      ...options,
      engine,
      limits: passLimits({ batches, batchSize }),
      statistic: (weight, gradient) => neg(mul(weight, gradient)),
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter movement-pruning': typeof movementPruning
  }
}

export default movementPruning
