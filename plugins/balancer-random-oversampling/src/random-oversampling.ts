import { BALANCER, type Balancer, definePlugin } from '@attune/core'
import { z } from 'zod'

/** Indices of the examples of each class, sorted by class name: of several smallest classes, the first counts as the rarest. */
function positionsOf(classes: readonly string[]): readonly (readonly number[])[] {
  const positions = new Map<string, number[]>()
  for (const [i, name] of classes.entries()) {
    const of = positions.get(name)
    if (of === undefined) positions.set(name, [i])
    else of.push(i)
  }
  return [...positions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, of]) => of)
}

/**
 * Random oversampling: examples of rare classes are repeated, sampled with replacement, until each class has `ratio` times as many
 * as the most frequent one.
 *
 *     added = max(0, ⌊ratio · n_majority − n_c⌋)
 *
 * As in imbalanced-learn's `RandomOverSampler`, whose `sampling_strategy` is `classes` or, for two classes, `ratio`. All examples
 * are kept; the repeated ones come after them.
 */
export const randomOversampling = definePlugin({
  kind: BALANCER,
  name: 'random-oversampling',
  summary: 'Random oversampling: repeats examples of rare classes',
  source: 'Batista, Prati and Monard, A Study of the Behavior of Several Methods for Balancing Training Data, 2004',
  options: z.strictObject({
    by: z.string().min(1).default('label').meta({ field: 'label' }).describe('Field that holds the class'),
    classes: z
      .enum(['not-majority', 'minority', 'not-minority'])
      .default('not-majority')
      .describe('Classes to oversample: all but the most frequent, only the rarest, or all but the rarest'),
    ratio: z
      .number()
      .gt(0)
      .max(1)
      .default(1)
      .describe('Size of a class after oversampling, as a fraction of the most frequent class'),
  }),
  create: ({ by, classes: which, ratio }): Balancer => ({
    by,
    balance({ classes }, random) {
      const positions = positionsOf(classes)
      const sizes = positions.map(({ length }) => length)
      const majority = sizes.reduce((a, b) => Math.max(a, b), 0)
      const rarest = sizes.indexOf(sizes.reduce((a, b) => Math.min(a, b), majority))
      const isGrown = (c: number): boolean => which === 'not-majority' || (c === rarest) === (which === 'minority')
      const added = positions.flatMap((of, c) => {
        const count = isGrown(c) ? Math.max(0, Math.floor(ratio * majority - of.length)) : 0
        return Array.from({ length: count }, () => of[Math.floor(random() * of.length)]!)
      })
      return { indices: [...classes.keys(), ...added] }
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'balancer random-oversampling': typeof randomOversampling
  }
}

export default randomOversampling
