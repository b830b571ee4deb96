import { AttuneError, PROTOCOL, definePlugin, shuffled } from '@attune/core'
import { apportion } from '@attune/data'
import { z } from 'zod'

/** The positions of the examples of each class; all in one class if nothing is said of classes. */
function positionsByClass(count: number, groups: readonly string[]): number[][] {
  const classes = new Map<string, number[]>()
  for (let i = 0; i < count; i++) {
    const name = groups[i] ?? ''
    const positions = classes.get(name) ?? []
    positions.push(i)
    classes.set(name, positions)
  }
  return [...classes.values()]
}

/**
 * Holds out one share of the examples for validation and trains on the rest, once.
 *
 *     held out = ⌈validation · n⌉, of a class c: ⌊held out · n_c / n⌋, and one more for the largest remainders
 *
 * A class with a single example is trained on and has no part in `n`; of every class at least one example is trained on.
 * scikit-learn's `train_test_split(stratify=…)` holds out as many in all and, where remainders differ, as many of each
 * class; it refuses single examples and breaks ties between equal remainders by other draws.
 */
export const holdout = definePlugin({
  kind: PROTOCOL,
  name: 'holdout',
  summary: 'Holds out one share of the examples for validation, each class in proportion',
  source: 'Kohavi, A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model Selection, IJCAI 1995',
  options: z.strictObject({
    validation: z.number().gt(0).lt(1).default(0.1).describe('Share of the examples that is held out'),
    stratifyBy: z
      .string()
      .min(1)
      .nullable()
      .default('label')
      .describe('Field whose values are the classes to keep in proportion; `null` to divide without looking'),
  }),
  create: ({ validation, stratifyBy }) => ({
    ...(stratifyBy === null ? {} : { stratifyBy }),
    split(count, groups, random) {
      const all = positionsByClass(count, groups)
      const classes = all.filter((positions) => positions.length > 1)
      if (classes.length === 0)
        throw new AttuneError(
          'TOO_FEW_EXAMPLES',
          `a class must have at least 2 examples to be divided, and none has: ${count} examples in ${all.length} classes`,
          'Check the training file and its rejected rows; divide without looking with `stratifyBy: null`.',
        )
      const sizes = classes.map((positions) => positions.length)
      const divided = sizes.reduce((sum, size) => sum + size, 0)
      const total = Math.min(Math.ceil(validation * divided), divided - 1)
      const held = apportion(sizes, divided, total, random)
      const chosen = new Set(classes.flatMap((positions, c) => shuffled(positions, random).slice(0, held[c])))
      const positions = all.flat().sort((a, b) => a - b)
      return [{ train: positions.filter((i) => !chosen.has(i)), validation: positions.filter((i) => chosen.has(i)) }]
    },
  }),
})
export default holdout
