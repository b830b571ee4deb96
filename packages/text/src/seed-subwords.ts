/** Maximum length of a subword in characters. */
const LONGEST = 16

/** A seed subword with its weight: length × number of occurrences. */
export type WeightedSubword = readonly [subword: string, weight: number]

/**
 * Substrings of the given length that occur at least twice. Only those are considered whose two shorter substrings do.
 * @param words the characters of each word, and the word's count
 */
function substringsOf(
  words: readonly (readonly [readonly string[], number])[],
  length: number,
  shorter: ReadonlyMap<string, number>,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [characters, count] of words)
    for (let start = 0; start + length <= characters.length; start++) {
      const first = characters.slice(start, start + length - 1).join('')
      if (!shorter.has(first) || !shorter.has(characters.slice(start + 1, start + length).join(''))) continue
      const whole = first + characters[start + length - 1]!
      counts.set(whole, (counts.get(whole) ?? 0) + count)
    }
  for (const [subword, count] of counts) if (count < 2) counts.delete(subword)
  return counts
}

/**
 * Seed vocabulary that a unigram vocabulary is pruned from: all characters, and the substrings of up to 16 characters that
 * occur at least twice and are not always followed by the same character. Highest weight first; ties by UTF-16 units.
 * @param limit maximum number of subwords longer than one character
 */
export function seedSubwords(words: ReadonlyMap<string, number>, limit: number): WeightedSubword[] {
  const segmented = [...words].map(([word, count]) => [[...word], count] as const)
  const singles = new Map<string, number>()
  for (const [characters, count] of segmented)
    for (const char of characters) singles.set(char, (singles.get(char) ?? 0) + count)
  const byWeight = ([a, m]: WeightedSubword, [b, n]: WeightedSubword): number => n - m || (a < b ? -1 : 1)
  const longer: WeightedSubword[] = []
  let shorter = singles
  for (let length = 2; length <= LONGEST && shorter.size > 0; length++) {
    const found = substringsOf(segmented, length, shorter)
    const followed = new Set<string>()
    for (const [subword, count] of found) {
      const first = subword.slice(0, -(subword.codePointAt(subword.length - 2)! > 0xffff ? 2 : 1))
      if (shorter.get(first) === count) followed.add(first)
    }
    if (length > 2)
      for (const [subword, count] of shorter) if (!followed.has(subword)) longer.push([subword, count * (length - 1)])
    shorter = found
  }
  if (shorter !== singles) for (const [subword, count] of shorter) longer.push([subword, count * LONGEST])
  return [...[...singles].sort(byWeight), ...longer.sort(byWeight).slice(0, limit)]
}
