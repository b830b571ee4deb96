import { AttuneError, type Fold, PROTOCOL, type Protocol, definePlugin, shuffled } from '@attune/core'
import { z } from 'zod'

type Random = () => number

/** Indices of the examples of each group, in order of first appearance; all in one group without group names. */
function indicesByGroup(count: number, groups: readonly string[]): number[][] {
  const found = new Map<string, number[]>()
  for (let i = 0; i < count; i++) {
    const name = groups[i] ?? ''
    const indices = found.get(name)
    if (indices === undefined) found.set(name, [i])
    else indices.push(i)
  }
  return [...found.values()]
}

/** The fold of each example: the classes in turn, dealt to the folds round-robin, as in scikit-learn's `StratifiedKFold`. */
function dealClasses(classes: readonly number[][], folds: number, random: Random): Map<number, number> {
  const foldOf = new Map<number, number>()
  let dealt = 0
  for (const indices of classes) {
    const turns = indices.map((_, i) => (dealt + i) % folds).sort((a, b) => a - b)
    for (const [i, index] of shuffled(indices, random).entries()) foldOf.set(index, turns[i]!)
    dealt += indices.length
  }
  return foldOf
}

/** The fold of each example, with groups kept whole: the largest group goes to the smallest fold, as in scikit-learn's `GroupKFold`. */
function dealGroups(groups: readonly number[][], folds: number, random: Random): Map<number, number> {
  const foldOf = new Map<number, number>()
  const sizes = new Array<number>(folds).fill(0)
  for (const indices of shuffled(groups, random).sort((a, b) => b.length - a.length)) {
    const smallest = sizes.indexOf(Math.min(...sizes))
    for (const index of indices) foldOf.set(index, smallest)
    sizes[smallest]! += indices.length
  }
  return foldOf
}

const tooFew = (problem: string): AttuneError =>
  new AttuneError('TOO_FEW_EXAMPLES', problem, 'Lower `folds`, or check the training file and its rejected rows.')

/**
 * k-fold cross-validation: the examples are divided into `folds` parts of equal size, and each part is the validation split of one fold,
 * while the others are its training split.
 *
 *     |validation| = ⌊n / k⌋ or ⌈n / k⌉,   of a class c: ⌊n_c / k⌋ or ⌈n_c / k⌉
 *
 * Sizes and class counts equal those of scikit-learn's `KFold`, `StratifiedKFold` and `GroupKFold`. Unlike `StratifiedKFold`, it accepts
 * classes that are all smaller than the number of folds.
 */
export const kFold = definePlugin({
  kind: PROTOCOL,
  name: 'k-fold',
  summary: 'K-fold cross-validation, plain, stratified or grouped',
  source: 'Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, JRSS B 36, 1974',
  options: z.strictObject({
    folds: z.int().min(2).max(1000).default(5).describe('Number of folds'),
    stratifyBy: z
      .string()
      .min(1)
      .nullable()
      .optional()
      .describe(
        'Field whose values are the classes to stratify by; `null` for a purely random split. Default: `label`, if there is one',
      ),
    groupBy: z
      .string()
      .min(1)
      .optional()
      .describe('Field whose values are groups to keep whole, such as documents; replaces `stratifyBy`'),
  }),
  create({ folds, stratifyBy = 'label', groupBy }): Protocol {
    const by = groupBy ?? stratifyBy
    return {
      ...(by === null ? {} : { stratifyBy: by }),
      split(count, groups, random): readonly Fold[] {
        const divided = indicesByGroup(count, groups)
        const keepsWhole = groupBy !== undefined && groups.length > 0
        const parts = keepsWhole ? divided.length : count
        if (parts < folds)
          throw tooFew(
            `expected at least ${folds} ${keepsWhole ? 'groups' : 'examples'} for ${folds} folds, got ${parts}`,
          )
        const foldOf = (keepsWhole ? dealGroups : dealClasses)(divided, folds, random)
        const all = Array.from({ length: count }, (_, i) => i)
        return Array.from({ length: folds }, (_, fold) => ({
          train: all.filter((i) => foldOf.get(i) !== fold),
          validation: all.filter((i) => foldOf.get(i) === fold),
        }))
      },
    }
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'protocol k-fold': typeof kFold
  }
}

export default kFold
