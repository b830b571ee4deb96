const below = (end: number, random: () => number): number => Math.floor(random() * end)

/**
 * Spans of units (words, or single tokens) that start at random units, one after another, until no unit fits into the budget of positions.
 * A span ends early at the end of the text, before a unit that is taken already, and where the budget ends. A length of 0 is an empty
 * span; there are at most as many as units.
 * @param units positions of each unit
 * @param lengthOf length of the next span, in units
 * @returns the positions of each span
 */
export function randomSpans(
  units: readonly (readonly number[])[],
  budget: number,
  lengthOf: () => number,
  random: () => number,
): number[][] {
  const free = new Set(units.keys())
  const spans: number[][] = []
  let empty = 0
  for (let left = budget; left > 0 && free.size > 0;) {
    const length = lengthOf()
    if (length === 0 && empty++ < units.length) {
      spans.push([])
      continue
    }
    const start = [...free][below(free.size, random)]!
    const span: number[] = []
    for (let at = start; at < start + Math.max(1, length); at++) {
      if (!free.has(at) || units[at]!.length > left - span.length) break
      span.push(...units[at]!)
      free.delete(at)
    }
    free.delete(start)
    if (span.length > 0) spans.push(span)
    left -= span.length
  }
  return spans
}
