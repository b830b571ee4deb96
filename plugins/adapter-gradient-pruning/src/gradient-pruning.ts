import { ADAPTER, ENGINE, definePlugin } from '@attune/core'
import { compareOption, passLimits, passOptions, pruneByGradients, pruningOptions } from '@attune/nn'
import { mul, square } from '@tensorflow/tfjs-core'
import { z } from 'zod'

/** Statistic of the weights `w` and the gradient `g` of a batch, summed over batches. */
const STATISTICS = {
  fisher: { statistic: (_w, g) => square(g) },
  gradient: { statistic: (_w, g) => g, isAbsolute: true },
  sensitivity: { statistic: (w, g) => mul(w, g), isAbsolute: true },
} satisfies Record<string, Pick<Parameters<typeof pruneByGradients>[1], 'statistic' | 'isAbsolute'>>

/**
 * Gradient pruning: weights of linear layers are chosen before training by their gradients `g` on the training data.
 *
 *     fisher: Σ g²,   gradient: |Σ g|,   sensitivity: |Σ w · g|
 *
 * The sums are over batches, and `g` is the gradient of the mean loss of a batch at the pretrained weights, without dropout. `fisher` is the
 * diagonal of the empirical Fisher information if `batchSize` is 1, as in FISH Mask; larger batches are faster and smooth it. `sensitivity` is
 * SNIP's connection sensitivity: to first order, the change of the loss when the weight becomes zero. In the mode `zero-and-keep` weights
 * that are not chosen become zero and stay zero; in the mode `freeze` they keep their pretrained values bit for bit. Throws AttuneError
 * `UNKNOWN_TARGET`, `NO_DATA_PASS`, `NON_FINITE_SCORES`.
 */
export const gradientPruning = definePlugin({
  kind: ADAPTER,
  name: 'gradient-pruning',
  summary: 'Gradient pruning: chooses the weights that train by their gradients on the training data',
  source:
    'Lee, Ajanthan and Torr, SNIP, 2019, equation 4 (sensitivity); Sung, Nair and Raffel, Training Neural Networks with Fixed Sparse Masks (FISH Mask), 2021, equation 6 (fisher)',
  options: z.strictObject({
    ...pruningOptions,
    score: z
      .enum(['sensitivity', 'fisher', 'gradient'])
      .default('sensitivity')
      .describe('sensitivity: |Σ w·g|. fisher: Σ g². gradient: |Σ g|. `g`: the gradient of a batch, `w`: the weight'),
    compare: compareOption,
    ...passOptions,
  }),
  needs: { engine: ENGINE },
  exceptions: { initialFunction: 'zero-and-keep sets weights to zero' },
  create: ({ score, batches, batchSize, ...options }, { engine }) =>
    pruneByGradients('gradient-pruning', {
      ...options,
      engine,
      limits: passLimits({ batches, batchSize }),
      ...STATISTICS[score],
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter gradient-pruning': typeof gradientPruning
  }
}

export default gradientPruning
