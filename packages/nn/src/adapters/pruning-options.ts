import { z } from 'zod'
import { targetsOption } from './target-layers.js'

/** Options of adapters that choose single weights of linear layers. */
export const pruningOptions = {
  mode: z
    .enum(['zero-and-keep', 'freeze'])
    .default('zero-and-keep')
    .describe(
      'zero-and-keep: the other weights are set to zero and stay zero, everything else trains. freeze: only the chosen weights and the head train',
    ),
  fraction: z.number().positive().max(1).default(0.5).describe('Fraction of the weights that are chosen and train'),
  targets: targetsOption.default('all-linear'),
}

/** Weights that are compared. */
export const compareOption = z
  .enum(['global', 'layer'])
  .default('global')
  .describe('global: the fraction applies to all chosen layers together. layer: to each layer')
