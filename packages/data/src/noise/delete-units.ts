import { shuffled } from '@attune/core'
import { withinBudget } from './word-units.js'

/**
 * Positions of randomly chosen units within the budget of positions, at least one unit.
 * @param units positions of each unit: words, or single tokens
 */
export function chooseUnits(
  units: readonly (readonly number[])[],
  budget: number,
  random: () => number,
): ReadonlySet<number> {
  const order = shuffled(units, random)
  const found = withinBudget(order, budget)
  return new Set(found.length > 0 ? found : order.slice(0, 1).map(([first]) => first!))
}

/** Deletion noise: the chosen units are left out of `ids`; at least one token remains. */
export function deleteUnits(
  ids: readonly number[],
  units: readonly (readonly number[])[],
  budget: number,
  random: () => number,
): readonly number[] {
  const dropped = chooseUnits(units, Math.min(budget, ids.length - 1), random)
  return dropped.size < ids.length ? ids.filter((_, position) => !dropped.has(position)) : ids
}
