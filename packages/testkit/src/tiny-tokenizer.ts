import type { Tokenizer } from '@attune/core'

const SPECIAL = { pad: 0, unknown: 1, begin: 2, end: 3 } as const
const FIRST_LETTER = 0x20
const LAST_LETTER = 0x7e

/** Token id of each character. */
const letters = (text: string): number[] =>
  Array.from(text, (letter) => {
    const code = letter.codePointAt(0)!
    return code < FIRST_LETTER || code > LAST_LETTER ? SPECIAL.unknown : code - FIRST_LETTER + 4
  })

const token = (id: number): string | undefined => {
  const special = Object.entries(SPECIAL).find(([, value]) => value === id)
  if (special !== undefined) return `[${special[0]}]`
  return id > 3 && id <= LAST_LETTER - FIRST_LETTER + 4 ? String.fromCharCode(id + FIRST_LETTER - 4) : undefined
}

const id = (spelled: string): number | undefined => {
  const special = Object.entries(SPECIAL).find(([name]) => `[${name}]` === spelled)
  if (special !== undefined) return special[1]
  const [code] = letters(spelled)
  return spelled.length === 1 && code !== SPECIAL.unknown ? code : undefined
}

/** Offsets and special-token mask; characters beyond the basic multilingual plane are not supported. */
const located = (parts: readonly (readonly number[])[], lost: readonly number[]) => ({
  offsets: [
    [0, 0] as const,
    ...parts.flatMap((part, n) => [...part.map((_, i) => [i + lost[n]!, i + lost[n]! + 1] as const), [0, 0] as const]),
  ],
  specialMask: [1, ...parts.flatMap((part) => [...part.map(() => 0), 1])],
})

/**
 * A tokenizer without files: one token for each printable ASCII character, `begin` first, `end` after each text, any other
 * character unknown. Default tokenizer of the suites of objectives.
 */
export const tinyTokenizer = (): Tokenizer => {
  return {
    vocabularySize: LAST_LETTER - FIRST_LETTER + 5,
    special: SPECIAL,
    paddingSide: 'right',
    encode(text, { pair, maximumLength = Infinity, truncationSide, offsets = false } = {}) {
      const parts = [letters(text), ...(pair === undefined ? [] : [letters(pair)])]
      const room = maximumLength - 1 - parts.length
      const truncated = parts.reduce((sum, part) => sum + part.length, 0) > room
      const lost = parts.map(() => 0)
      while (parts.reduce((sum, part) => sum + part.length, 0) > room) {
        const longest = parts.reduce((best, part, i) => (part.length >= parts[best]!.length ? i : best), 0)
        if (truncationSide !== 'left') parts[longest]!.pop()
        else if (parts[longest]!.shift() !== undefined) lost[longest]!++
      }
      return {
        ids: [SPECIAL.begin, ...parts.flatMap((part) => [...part, SPECIAL.end])],
        typeIds: [0, ...parts.flatMap((part, i) => [...part.map(() => i), i])],
        truncated,
        ...(offsets ? located(parts, lost) : {}),
      }
    },
    decode: (ids) =>
      Array.from(ids)
        .filter((id) => id > 3)
        .map((id) => token(id) ?? '')
        .join(''),
    id,
    token,
    files: () => ({}),
  }
}
