import { AttuneError, BALANCER, type Balancer, definePlugin } from '@attune/core'
import { z } from 'zod'

/** @throws AttuneError `BAD_ROW` */
function weightOf(text: string, by: string): number {
  const weight = text.trim() === '' ? NaN : Number(text)
  if (Number.isFinite(weight) && weight >= 0) return weight
  throw new AttuneError(
    'BAD_ROW',
    `balancer sample-weights: expected a non-negative number in the field "${by}" of every training example, got ${JSON.stringify(text.slice(0, 40))}`,
    'Correct the row, or name the field of the weights with `by`.',
  )
}

/**
 * Sample weights: the loss of an example is multiplied by a number in one of its fields, such as the importance of the example or the
 * confidence in its label.
 *
 *     loss = Σ w_i · loss_i / Σ w_i over a batch
 *
 * As `sample_weight` of scikit-learn. Only the ratios of the weights in a batch matter, so in small batches a large weight counts less.
 * Near neighbour: class weights depend on the class of an example only.
 */
export const sampleWeights = definePlugin({
  kind: BALANCER,
  name: 'sample-weights',
  summary: 'Loss weights from a field of the examples',
  source: 'Shimodaira, Improving Predictive Inference under Covariate Shift, 2000, section 2',
  exceptions: { imbalance: 'the weights are those of the data' },
  options: z.strictObject({
    by: z.string().min(1).default('weight').describe('Field that holds the weight, a non-negative number'),
  }),
  create: ({ by }): Balancer => ({
    by,
    balance: ({ classes }) => ({ indices: [...classes.keys()], weights: classes.map((text) => weightOf(text, by)) }),
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'balancer sample-weights': typeof sampleWeights
  }
}

export default sampleWeights
