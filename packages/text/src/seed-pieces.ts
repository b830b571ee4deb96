/** The most characters of a piece. */
const LONGEST = 16

/** A piece with its weight: its length times how often it occurs. */
export type WeighedPiece = readonly [piece: string, weight: number]

/**
 * The substrings of some length that occur twice or more, among those whose two shorter parts do.
 * @param words the characters of each word, and how often the word occurs
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
  for (const [piece, count] of counts) if (count < 2) counts.delete(piece)
  return counts
}

/**
 * The pieces that a unigram vocabulary is pruned from: all characters, and the substrings of up to 16 characters that occur
 * twice or more and are not always followed by the same character. Heaviest first; of equal ones the smaller UTF-16 units.
 * @param limit the most pieces longer than one character
 */
export function seedPieces(words: ReadonlyMap<string, number>, limit: number): WeighedPiece[] {
  const spelt = [...words].map(([word, count]) => [[...word], count] as const)
  const singles = new Map<string, number>()
  for (const [characters, count] of spelt)
    for (const char of characters) singles.set(char, (singles.get(char) ?? 0) + count)
  const byWeight = ([a, m]: WeighedPiece, [b, n]: WeighedPiece): number => n - m || (a < b ? -1 : 1)
  const longer: WeighedPiece[] = []
  let shorter = singles
  for (let length = 2; length <= LONGEST && shorter.size > 0; length++) {
    const found = substringsOf(spelt, length, shorter)
    const followed = new Set<string>()
    for (const [piece, count] of found) {
      const first = piece.slice(0, -(piece.codePointAt(piece.length - 2)! > 0xffff ? 2 : 1))
      if (shorter.get(first) === count) followed.add(first)
    }
    if (length > 2)
      for (const [piece, count] of shorter) if (!followed.has(piece)) longer.push([piece, count * (length - 1)])
    shorter = found
  }
  if (shorter !== singles) for (const [piece, count] of shorter) longer.push([piece, count * LONGEST])
  return [...[...singles].sort(byWeight), ...longer.sort(byWeight).slice(0, limit)]
}
