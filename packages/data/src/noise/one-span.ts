/**
 * One span of as many units as fit into the budget of positions, which starts at a random unit from which that many follow.
 * @param units positions of each unit
 */
export function oneSpan(
  units: readonly (readonly number[])[],
  budget: number,
  random: () => number,
): readonly (readonly number[])[] {
  const tokens = units.reduce((sum, unit) => sum + unit.length, 0)
  let left = tokens
  const starts = units.filter((unit) => {
    const fits = left >= budget
    left -= unit.length
    return fits
  }).length
  const start = Math.floor(random() * starts)
  const span: number[] = []
  for (const unit of units.slice(start)) {
    if (span.length + unit.length > budget) break
    span.push(...unit)
  }
  return span.length > 0 ? [span] : []
}
