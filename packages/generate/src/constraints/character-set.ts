import type { Span } from './pattern.js'

const LAST = 0x10ffff

/** Sorts spans and merges overlapping or adjacent ones. */
export function normalized(spans: readonly Span[]): Span[] {
  const result: [number, number][] = []
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const before = result.at(-1)
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else result.push([first, last])
  }
  return result
}

/** All code points outside the spans. */
export function complement(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  let from = 0
  for (const [first, last] of normalized(spans)) {
    if (first > from) result.push([from, first - 1])
    from = last + 1
  }
  if (from <= LAST) result.push([from, LAST])
  return result
}

/** Code points that are in both. */
export const intersection = (a: readonly Span[], b: readonly Span[]): Span[] =>
  complement([...complement(a), ...complement(b)])

/** All code points. */
export const ANY: readonly Span[] = [[0, LAST]]

/** `\d` */
export const DIGITS: readonly Span[] = [[0x30, 0x39]]

/** `\w` */
export const WORD: readonly Span[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]

/** `\s`: white space and line terminators of ECMAScript. */
export const SPACE: readonly Span[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]

/** `.`: all code points but line terminators. */
export const DOT: readonly Span[] = complement([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
])
