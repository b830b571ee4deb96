const byCode = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!

/** Returns the most frequent characters of words, at most `size`, in code point order. */
export function alphabetOf(words: ReadonlyMap<string, number>, size: number): string[] {
  const counts = new Map<string, number>()
  for (const [word, count] of words) for (const char of word) counts.set(char, (counts.get(char) ?? 0) + count)
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || byCode(a, b))
    .slice(0, size)
    .map(([char]) => char)
    .sort(byCode)
}

/** Word counts sorted by the words' UTF-16 units. Training on them does not depend on the order of the texts. */
export const sortedCounts = (counts: ReadonlyMap<string, number>): Map<string, number> =>
  new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
