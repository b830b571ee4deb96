import { SAMPLER, type Sampler, definePlugin, shuffled } from '@attune/core'
import { z } from 'zod'
import { lengthGrouped } from './length-grouped.js'

/**
 * Length-grouped batches, as in transformers' `LengthGroupedSampler` (`group_by_length`): examples are shuffled, divided into groups of up
 * to 50 batches, and sorted from long to short within each; the result is split into batches.
 *
 * The default order, without a sampler, also buckets by length, in tokens instead of characters, and returns batches in random order.
 * This one is for comparisons with runs of transformers, and to compute the largest batch first.
 */
export const length = definePlugin({
  kind: SAMPLER,
  name: 'length',
  summary: 'Length-grouped batches, with the longest example first',
  source: 'Hugging Face transformers, trainer_pt_utils.py, get_length_grouped_indices',
  options: z.strictObject({}),
  create: (): Sampler => ({
    batches: true,
    order: (_epoch, { count, length: lengthOf, batchSize }, random) =>
      lengthGrouped(
        shuffled(
          Array.from({ length: count }, (_, i) => i),
          random,
        ),
        lengthOf,
        batchSize,
      ),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'sampler length': typeof length
  }
}

export default length
