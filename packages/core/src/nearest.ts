/** Stands for distances of no interest. */
const FAR = 2 ** 30

/**
 * Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours each cost 1.
 * @param most the greatest distance of interest, by default any; `Infinity` is returned where the distance is greater
 */
export function editDistance(a: string, b: string, most: number = FAR): number {
  if (Math.abs(a.length - b.length) > most) return Infinity
  const fresh = () => new Int32Array(b.length + 2).fill(FAR)
  let [beforeLast, last, row] = [fresh(), fresh().map((_, j) => j), fresh()]
  let [lastLeast, least] = [0, 0]
  for (let i = 1; i <= a.length; i++) {
    // Outside of this band the distance exceeds `most`.
    const [from, to] = [Math.max(1, i - most), Math.min(b.length, i + most)]
    const [sign, before] = [a.charCodeAt(i - 1), a.charCodeAt(i - 2)]
    row[from - 1] = from === 1 ? i : FAR
    ;[lastLeast, least] = [least, row[from - 1]!]
    for (let j = from; j <= to; j++) {
      const other = b.charCodeAt(j - 1)
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (sign === other ? 0 : 1))
      if (i > 1 && j > 1 && sign === b.charCodeAt(j - 2) && before === other)
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      row[j] = cost
      if (cost < least) least = cost
    }
    row[to + 1] = FAR
    // A swap leads over one row.
    if (least > most && lastLeast >= most) return Infinity
    ;[beforeLast, last, row] = [last, row, beforeLast]
  }
  return last[b.length]! > most ? Infinity : last[b.length]!
}

/** Cells of distance tables that a hint is worth: some 0.3 s. */
const MOST_CELLS = 50_000_000

/**
 * Returns the candidates that a person who typed `word` may have meant, nearest first, at most three.
 * A candidate counts when at most a third of its letters (and at least one) differ, or when one begins with the other. Long
 * words are compared only as long as their tables of distances have some millions of cells together.
 */
export function nearest(word: string, candidates: Iterable<string>): string[] {
  const typed = word.toLowerCase()
  let cells = 0
  const distanceTo = (candidate: string): number => {
    const other = candidate.toLowerCase()
    const apart = Math.abs(typed.length - other.length)
    if ((typed.length > 2 && other.startsWith(typed)) || typed.startsWith(`${other}-`)) return apart
    const most = Math.max(1, Math.floor(candidate.length / 3))
    if (apart > most) return Infinity
    const cost = typed.length * Math.min(other.length, 2 * most + 1)
    if (cells + cost > MOST_CELLS) return Infinity
    cells += cost
    return editDistance(typed, other, most)
  }
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: distanceTo(candidate) }))
    .filter(({ distance }) => distance < Infinity)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}
