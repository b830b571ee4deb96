import { AttuneError, PROTOCOL, definePlugin, shuffled } from '@attune/core'
import { apportion } from '@attune/data'
import { z } from 'zod'

/** Indices of the examples of each class; all in one class without class names. */
function indicesByClass(count: number, groups: readonly string[]): number[][] {
  const classes = new Map<string, number[]>()
  for (let i = 0; i < count; i++) {
    const name = groups[i] ?? ''
    const indices = classes.get(name) ?? []
    indices.push(i)
    classes.set(name, indices)
  }
  return [...classes.values()]
}

/**
 * Holdout validation: holds out a stratified fraction of the examples once, and trains on the rest.
 *
 *     held out = ⌈validation · n⌉, of a class c: ⌊held out · n_c / n⌋, and one more for the largest remainders
 *
 * A class with a single example is used for training and not counted in `n`; of every class at least one example is used for training.
 * scikit-learn's `train_test_split(stratify=…)` holds out as many examples in total and, if remainders differ, as many of each class; it
 * rejects single examples and breaks ties between equal remainders differently.
 */
export const holdout = definePlugin({
  kind: PROTOCOL,
  name: 'holdout',
  summary: 'Holdout validation: holds out a stratified fraction of the examples',
  source: 'Kohavi, A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model Selection, IJCAI 1995',
  options: z.strictObject({
    validation: z.number().gt(0).lt(1).default(0.1).describe('Fraction of the examples to hold out'),
    stratifyBy: z
      .string()
      .min(1)
      .nullable()
      .optional()
      .describe(
        'Field whose values are the classes to stratify by; `null` for a purely random split. Default: `label`, if there is one',
      ),
  }),
  create: ({ validation, stratifyBy = 'label' }) => ({
    ...(stratifyBy === null ? {} : { stratifyBy }),
    split(count, groups, random) {
      const all = indicesByClass(count, groups)
      const classes = all.filter((indices) => indices.length > 1)
      if (classes.length === 0)
        throw new AttuneError(
          'TOO_FEW_EXAMPLES',
          `expected a class with at least 2 examples, got ${count} examples in ${all.length} classes`,
          'Check the training file and its rejected rows, or split without stratification: `stratifyBy: null`.',
        )
      const sizes = classes.map((indices) => indices.length)
      const divided = sizes.reduce((sum, size) => sum + size, 0)
      const total = Math.min(Math.ceil(validation * divided), divided - 1)
      const held = apportion(sizes, divided, total, random)
      const chosen = new Set(classes.flatMap((indices, c) => shuffled(indices, random).slice(0, held[c])))
      const indices = all.flat().sort((a, b) => a - b)
      return [{ train: indices.filter((i) => !chosen.has(i)), validation: indices.filter((i) => chosen.has(i)) }]
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'protocol holdout': typeof holdout
  }
}

export default holdout
