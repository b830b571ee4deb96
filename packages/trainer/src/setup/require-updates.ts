import { AttuneError, type Chosen } from '@attune/core'
import { matchesPattern } from '@attune/nn'

const MAXIMUM_NAMES = 5

/**
 * Checks that an optimizer updates every trainable parameter. A chain in which all optimizers have `only` would otherwise add the
 * raw gradient to parameters that no pattern matches.
 * @throws AttuneError `BAD_OPTIONS`
 */
export function requireUpdates(names: readonly string[], optimizers: readonly Pick<Chosen, 'common'>[]): void {
  const patterns = optimizers.map(({ common }) => common?.['only'] as string | undefined)
  if (patterns.length === 0 || patterns.includes(undefined)) return
  const missed = names.filter((name) => !patterns.some((pattern) => matchesPattern(name, pattern!)))
  if (missed.length === 0) return
  const shown = missed.slice(0, MAXIMUM_NAMES).join(', ')
  throw new AttuneError(
    'BAD_OPTIONS',
    `expected an optimizer for every trainable parameter, got none for ${missed.length} of ${names.length}: ${shown}${missed.length > MAXIMUM_NAMES ? ', …' : ''}`,
    'Add an optimizer without `only`, or whose pattern matches them; or freeze them with an adapter.',
  )
}
