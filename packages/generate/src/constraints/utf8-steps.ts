import { DEAD } from './byte-automaton.js'

/** Number of positions within a character: 0 between characters, and one after each kind of lead byte. */
export const POSITIONS = 8

/** Transitions between positions, by byte range. */
const STEPS: readonly (readonly [from: number, first: number, last: number, to: number])[] = [
  [0, 0x00, 0x7f, 0],
  [0, 0xc2, 0xdf, 1],
  [0, 0xe0, 0xe0, 4],
  [0, 0xe1, 0xec, 2],
  [0, 0xed, 0xed, 5],
  [0, 0xee, 0xef, 2],
  [0, 0xf0, 0xf0, 6],
  [0, 0xf1, 0xf3, 3],
  [0, 0xf4, 0xf4, 7],
  [1, 0x80, 0xbf, 0],
  [2, 0x80, 0xbf, 1],
  [3, 0x80, 0xbf, 2],
  [4, 0xa0, 0xbf, 1],
  [5, 0x80, 0x9f, 1],
  [6, 0x90, 0xbf, 2],
  [7, 0x80, 0x8f, 2],
]

/** Position after each byte, at `position · 256 + byte`; {@link DEAD} for invalid UTF-8. Source: RFC 3629, section 4. */
export function utf8Steps(): Int8Array {
  const steps = new Int8Array(POSITIONS * 256).fill(DEAD)
  for (const [from, first, last, to] of STEPS) steps.fill(to, from * 256 + first, from * 256 + last + 1)
  return steps
}
