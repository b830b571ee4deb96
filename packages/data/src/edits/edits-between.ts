import type { Edit } from '@attune/core'

/** Words, runs of white space, and single characters. */
const PARTS = /[\p{L}\p{N}]+|\s+|[^]/gu
/** Comparisons after which texts are too different to look for more common parts. */
const MOST_STEPS = 4_000_000
/** Edits after which they are: the path back takes memory in proportion to its square. */
const MOST_EDITS = 1000

/** Common parts of two lists, as pairs of indices, by Myers' algorithm; undefined if they are too different. */
function commonParts(a: readonly string[], b: readonly string[]): (readonly [number, number])[] | undefined {
  const trace: Int32Array[] = []
  let steps = 0
  for (let d = 0; d <= Math.min(a.length + b.length, MOST_EDITS); d++) {
    const before = trace[d - 1]
    const reached = new Int32Array(2 * d + 1)
    trace.push(reached)
    for (let k = -d; k <= d; k += 2) {
      const down = before === undefined ? 0 : k === -d || (k !== d && before[k + d - 2]! < before[k + d]!) ? 1 : 0
      let x = before === undefined ? 0 : down === 1 ? before[k + d]! : before[k + d - 2]! + 1
      for (; x < a.length && x - k < b.length && a[x] === b[x - k]; x++) steps++
      reached[k + d] = x
      if (x >= a.length && x - k >= b.length) return pathBack(trace, a.length, b.length)
    }
    if ((steps += d) > MOST_STEPS) return undefined
  }
  return undefined
}

/** The matches on the way that Myers' algorithm found, in order. */
function pathBack(trace: readonly Int32Array[], length: number, other: number): (readonly [number, number])[] {
  const matches: (readonly [number, number])[] = []
  let [x, y] = [length, other]
  for (let d = trace.length - 1; d >= 0; d--) {
    const before = trace[d - 1]
    const k = x - y
    const isDown = before !== undefined && (k === -d || (k !== d && before[k + d - 2]! < before[k + d]!))
    const startX = before === undefined ? 0 : isDown ? before[k + d]! : before[k + d - 2]! + 1
    while (x > startX) matches.push([--x, --y])
    if (isDown) y--
    else x--
  }
  return matches.reverse()
}

/** Number of code units that both texts begin with. */
function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let at = 0
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at
}

/** Number of code units that both texts end with, not counting the first `start`. */
function commonEnd(a: string, b: string, start: number): number {
  const most = Math.min(a.length, b.length) - start
  let at = 0
  while (at < most && a.charCodeAt(a.length - 1 - at) === b.charCodeAt(b.length - 1 - at)) at++
  return at
}

/**
 * Finds edits that make one text of another, for cleaners that compute the cleaned text: the fewest in words, spaces and other
 * characters (Myers, An O(ND) Difference Algorithm and Its Variations, 1986). Texts that differ in more than a thousand places are
 * one edit from the first difference to the last.
 *
 * @example
 * editsBetween('a  b', 'a b') // [{ start: 1, end: 3, text: ' ' }]
 */
export function editsBetween(before: string, after: string): readonly Edit[] {
  if (before === after) return []
  const head = commonStart(before, after)
  const tail = commonEnd(before, after, head)
  // Whole words at both ends, so that an edit does not begin inside one.
  const backed = /[\p{L}\p{N}\p{M}\s\p{Cs}]*$/u.exec(before.slice(Math.max(0, head - 64), head))?.[0].length ?? 0
  const ahead = /^[\p{L}\p{N}\p{M}\s\p{Cs}]*/u.exec(before.slice(before.length - tail).slice(0, 64))?.[0].length ?? 0
  const [start, end] = [head - backed, tail - ahead]
  const partsOf = (text: string): readonly string[] => text.slice(start, text.length - end).match(PARTS) ?? []
  const [a, b] = [partsOf(before), partsOf(after)]
  const common = commonParts(a, b) ?? []
  const edits: Edit[] = []
  let [i, j, at] = [0, 0, start]
  for (const [x, y] of [...common, [a.length, b.length] as const]) {
    const removed = a.slice(i, x).join('').length
    if (x > i || y > j) edits.push({ start: at, end: at + removed, text: b.slice(j, y).join('') })
    at += removed + (a[x]?.length ?? 0)
    ;[i, j] = [x + 1, y + 1]
  }
  return edits
}
