import { BALANCER, type Balancer, definePlugin } from '@attune/core'
import { z } from 'zod'

/**
 * Stratified bootstrap sample: of each class as many training examples as it has, sampled uniformly with replacement. Runs that differ
 * in their seed train on different samples; their average is a bagged model. Breiman samples without regard to the class, so that a
 * sample may lack a rare class, and its model that label.
 *
 *     P(an example of class c is not in the sample) = (1 − 1/n_c)^n_c ≈ 0.368
 *
 * An example that was sampled several times is repeated. Examples are in their original order.
 * Near neighbour: random oversampling keeps all examples and repeats those of rare classes.
 */
export const bootstrap = definePlugin({
  kind: BALANCER,
  name: 'bootstrap',
  summary: 'Stratified bootstrap sample: each class with replacement, for bagging',
  source: 'Breiman, Bagging Predictors, Machine Learning 24, 1996, section 1',
  exceptions: { imbalance: 'a stratified bootstrap sample keeps the size of each class' },
  options: z.strictObject({
    by: z.string().min(1).default('label').meta({ field: 'label' }).describe('Field that holds the class'),
  }),
  create: ({ by }): Balancer => ({
    by,
    balance({ classes }, random) {
      const positions = new Map<string, number[]>()
      for (const [i, name] of classes.entries()) {
        const of = positions.get(name)
        if (of === undefined) positions.set(name, [i])
        else of.push(i)
      }
      const sampled = [...positions.values()].flatMap((of) => of.map(() => of[Math.floor(random() * of.length)]!))
      return { indices: sampled.sort((a, b) => a - b) }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'balancer bootstrap': typeof bootstrap
  }
}

export default bootstrap
