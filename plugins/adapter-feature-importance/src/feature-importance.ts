import { ADAPTER, ENGINE, definePlugin } from '@attune/core'
import { passLimits, passOptions, pruneByFeatures, pruningOptions } from '@attune/nn'
import { add, square, sum, zeros } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/**
 * Feature importance (Wanda): weights of linear layers are chosen by their absolute value times the norm of their input feature.
 *
 *     S_ij = |W_ij| · ‖X_j‖₂
 *
 * `X_j` are the values of input feature `j` of the layer at all tokens of the training data, without dropout. With `compare: output`, as in
 * the paper, the weights of each output are compared with each other, so that every output keeps the same number. In the mode
 * `zero-and-keep` weights that are not chosen become zero and stay zero; in the mode `freeze` they keep their pretrained values bit for bit.
 * All norms are of the unpruned model; Wanda's code prunes layer by layer and computes the inputs of a layer with the layers before it
 * pruned. Near neighbour: magnitude-pruning, where all norms are 1. Throws AttuneError `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`.
 */
export const featureImportance = definePlugin({
  kind: ADAPTER,
  name: 'feature-importance',
  summary: 'Chooses the weights that train by weight times input activation (Wanda)',
  source: 'Sun et al., A Simple and Effective Pruning Approach for Large Language Models (Wanda), 2024, equation 1',
  options: z.strictObject({
    ...pruningOptions,
    compare: z
      .enum(['output', 'layer', 'global'])
      .default('output')
      .describe('The fraction applies to the weights of each output, of each layer, or of all chosen layers together'),
    ...passOptions,
  }),
  needs: { engine: ENGINE },
  exceptions: { initialFunction: 'zero-and-keep sets weights to zero' },
  create: ({ batches, batchSize, ...options }, { engine }) =>
    pruneByFeatures('feature-importance', {
      ...options,
      engine,
      limits: passLimits({ batches, batchSize }),
      start: (size) => ({ squares: zeros([size]) }),
      add: ({ squares }, x) => ({ squares: add(squares, sum(square(x), 0)) }),
      importance: ({ squares }) => Float64Array.from(squares.values, Math.sqrt),
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter feature-importance': typeof featureImportance
  }
}

export default featureImportance
