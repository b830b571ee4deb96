/** Represents distances beyond the limit. */
const FAR = 2 ** 30

/**
 * Optimal string alignment distance (restricted Damerau–Levenshtein): insertions, deletions, substitutions and transpositions of
 * adjacent characters each cost 1.
 * @param limit the maximum distance of interest, default any; larger distances are returned as `Infinity`
 */
export function editDistance(a: string, b: string, limit: number = FAR): number {
  if (Math.abs(a.length - b.length) > limit) return Infinity
  const emptyRow = () => new Int32Array(b.length + 2).fill(FAR)
  let [beforeLast, last, row] = [emptyRow(), emptyRow().map((_, j) => j), emptyRow()]
  let [lastMinimum, minimum] = [0, 0]
  for (let i = 1; i <= a.length; i++) {
    // Outside this diagonal range the distance exceeds `limit`.
    const [from, to] = [Math.max(1, i - limit), Math.min(b.length, i + limit)]
    const [unit, previous] = [a.charCodeAt(i - 1), a.charCodeAt(i - 2)]
    row[from - 1] = from === 1 ? i : FAR
    ;[lastMinimum, minimum] = [minimum, row[from - 1]!]
    for (let j = from; j <= to; j++) {
      const other = b.charCodeAt(j - 1)
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (unit === other ? 0 : 1))
      if (i > 1 && j > 1 && unit === b.charCodeAt(j - 2) && previous === other)
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      row[j] = cost
      if (cost < minimum) minimum = cost
    }
    row[to + 1] = FAR
    // A transposition skips one row.
    if (minimum > limit && lastMinimum >= limit) return Infinity
    ;[beforeLast, last, row] = [last, row, beforeLast]
  }
  return last[b.length]! > limit ? Infinity : last[b.length]!
}

/** Maximum number of distance table cells for one suggestion: about 0.3 s. */
const MAXIMUM_CELLS = 50_000_000

/**
 * Returns up to three candidates that are similar to `word`, nearest first, for "did you mean" hints. A candidate qualifies if at
 * most a third of its letters (and at least one) differ, or if one of the two is a prefix of the other. The total work is bounded:
 * very long words are skipped once the limit is reached.
 */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  const typed = word.toLowerCase()
  let cells = 0
  const distanceTo = (candidate: string): number => {
    const other = candidate.toLowerCase()
    const difference = Math.abs(typed.length - other.length)
    if ((typed.length > 2 && other.startsWith(typed)) || typed.startsWith(`${other}-`)) return difference
    const limit = Math.max(1, Math.floor(candidate.length / 3))
    if (difference > limit) return Infinity
    const cost = typed.length * Math.min(other.length, 2 * limit + 1)
    if (cells + cost > MAXIMUM_CELLS) return Infinity
    cells += cost
    return editDistance(typed, other, limit)
  }
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: distanceTo(candidate) }))
    .filter(({ distance }) => distance < Infinity)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}
