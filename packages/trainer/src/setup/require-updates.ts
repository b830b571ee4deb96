import { AttuneError, type Chosen, type Optimizer, titleOf } from '@attune/core'
import { matchesPattern } from '@attune/nn'

const MAXIMUM_NAMES = 5

/** An entry of the configuration's list of optimizers. */
type Entry = Pick<Chosen, 'common' | 'plugin'>

function reject(problem: string, remedy: string): never {
  throw new AttuneError('BAD_OPTIONS', problem, remedy)
}

/** Checks that links are on their side of the optimizers; returns the entries that are optimizers. */
function requireOrder(entries: readonly Entry[], links: readonly Optimizer['link'][]): readonly Entry[] {
  const [first, last] = [links.indexOf(undefined), links.lastIndexOf(undefined)]
  if (entries.length > 0 && first < 0)
    reject(
      `expected an optimizer, got only links of a chain: ${entries.map(({ plugin }) => plugin.name).join(', ')}`,
      'Add an optimizer to the list, such as `{ use: adamw }`.',
    )
  for (const [i, { plugin }] of entries.entries()) {
    if (links[i] === 'after' && i < last)
      reject(
        `${titleOf(plugin)} transforms updates: expected it after all optimizers, got it before one`,
        'Move it to the end of the list.',
      )
    if (links[i] === 'before' && i > last)
      reject(
        `${titleOf(plugin)} transforms gradients: expected it before an optimizer, got it after all of them`,
        'Move it to the beginning of the list.',
      )
  }
  return entries.filter((_, i) => links[i] === undefined)
}

/**
 * Checks that optimizers update every trainable parameter, and that links of the chain are before or after them. A chain in which all
 * optimizers have `only` would otherwise add the raw gradient to parameters that no pattern matches.
 * @param instances the instances of the entries; of another number if a scope provides them, then their order is not checked
 * @throws AttuneError `BAD_OPTIONS`
 */
export function requireUpdates(
  names: readonly string[],
  entries: readonly Entry[],
  instances: readonly Pick<Optimizer, 'link'>[],
): void {
  const known = instances.length === entries.length
  const optimizers = known
    ? requireOrder(
        entries,
        instances.map(({ link }) => link),
      )
    : entries
  const patterns = optimizers.map(({ common }) => common?.['only'] as string | undefined)
  if (patterns.length === 0 || patterns.includes(undefined)) return
  const missed = names.filter((name) => !patterns.some((pattern) => matchesPattern(name, pattern!)))
  if (missed.length === 0) return
  const shown = missed.slice(0, MAXIMUM_NAMES).join(', ')
  reject(
    `expected an optimizer for every trainable parameter, got none for ${missed.length} of ${names.length}: ${shown}${missed.length > MAXIMUM_NAMES ? ', …' : ''}`,
    'Add an optimizer without `only`, or whose pattern matches them; or freeze them with an adapter.',
  )
}
