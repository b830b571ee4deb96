import { BALANCER, type Balancer, definePlugin } from '@attune/core'
import { z } from 'zod'

/**
 * Balanced class weights: the loss of an example is weighted in inverse proportion to the frequency of its class.
 *
 *     weight = n / (classes · n_c)
 *
 * As in scikit-learn's `class_weight="balanced"`. The weights have mean 1 over all examples, so the learning rate need not change.
 * Near neighbour: random oversampling has the same expected gradient, with more steps and less noise for rare classes.
 */
export const classWeights = definePlugin({
  kind: BALANCER,
  name: 'class-weights',
  summary: 'Loss weights inversely proportional to class frequency',
  source: 'King and Zeng, Logistic Regression in Rare Events Data, Political Analysis, 2001',
  options: z.strictObject({
    by: z.string().min(1).default('label').meta({ field: 'label' }).describe('Field that holds the class'),
  }),
  create: ({ by }): Balancer => ({
    by,
    balance({ classes }) {
      const counts = new Map<string, number>()
      for (const name of classes) counts.set(name, (counts.get(name) ?? 0) + 1)
      return {
        indices: [...classes.keys()],
        weights: classes.map((name) => classes.length / (counts.size * counts.get(name)!)),
      }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'balancer class-weights': typeof classWeights
  }
}

export default classWeights
