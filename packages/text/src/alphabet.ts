const byCode = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!

/** The most frequent characters of words, `size` at most, in the order of their code points. */
export function alphabetOf(words: ReadonlyMap<string, number>, size: number): string[] {
  const counts = new Map<string, number>()
  for (const [word, count] of words) for (const char of word) counts.set(char, (counts.get(char) ?? 0) + count)
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || byCode(a, b))
    .slice(0, size)
    .map(([char]) => char)
    .sort(byCode)
}

/** Counts of words in the order of the words' UTF-16 units, so that what is learned does not depend on the order of texts. */
export const inOrder = (counts: ReadonlyMap<string, number>): Map<string, number> =>
  new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
