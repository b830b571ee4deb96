import type { Edit } from '@attune/core'

/** Diff tokens: words, runs of white space, and single characters. */
const TOKENS = /[\p{L}\p{N}]+|\s+|[^]/gu
/** Maximum number of comparisons; beyond it the texts are treated as entirely different. */
const MAXIMUM_STEPS = 4_000_000
/** Maximum edit distance; the memory of the backtrace is quadratic in it. */
const MAXIMUM_EDITS = 1000

/** Longest common subsequence of two lists by Myers' algorithm, as index pairs; undefined if the lists are too different. */
function commonSubsequence(a: readonly string[], b: readonly string[]): (readonly [number, number])[] | undefined {
  const trace: Int32Array[] = []
  let steps = 0
  for (let d = 0; d <= Math.min(a.length + b.length, MAXIMUM_EDITS); d++) {
    const before = trace[d - 1]
    const reached = new Int32Array(2 * d + 1)
    trace.push(reached)
    for (let k = -d; k <= d; k += 2) {
      const down = before === undefined ? 0 : k === -d || (k !== d && before[k + d - 2]! < before[k + d]!) ? 1 : 0
      let x = before === undefined ? 0 : down === 1 ? before[k + d]! : before[k + d - 2]! + 1
      for (; x < a.length && x - k < b.length && a[x] === b[x - k]; x++) steps++
      reached[k + d] = x
      if (x >= a.length && x - k >= b.length) return backtrace(trace, a.length, b.length)
    }
    if ((steps += d) > MAXIMUM_STEPS) return undefined
  }
  return undefined
}

/** Returns the matches on the path that Myers' algorithm found, in order. */
function backtrace(trace: readonly Int32Array[], length: number, other: number): (readonly [number, number])[] {
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

/** Length of the common prefix, in code units. */
function commonPrefix(a: string, b: string): number {
  const maximum = Math.min(a.length, b.length)
  let at = 0
  while (at < maximum && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at
}

/** Length of the common suffix after the first `start` code units. */
function commonSuffix(a: string, b: string, start: number): number {
  const maximum = Math.min(a.length, b.length) - start
  let at = 0
  while (at < maximum && a.charCodeAt(a.length - 1 - at) === b.charCodeAt(b.length - 1 - at)) at++
  return at
}

/**
 * Computes the edits between two texts, for cleaners that return the cleaned text: a minimal diff over words, white space and
 * other characters (Myers, An O(ND) Difference Algorithm and Its Variations, 1986). Texts with more than a thousand differences
 * yield a single edit from the first difference to the last.
 *
 * @example
 * ```ts
 * import { editsBetween } from '@attune/data'
 * console.log(editsBetween('a  b', 'a b')) // [ { start: 1, end: 3, text: ' ' } ]
 * ```
 */
export function editsBetween(before: string, after: string): readonly Edit[] {
  if (before === after) return []
  const head = commonPrefix(before, after)
  const tail = commonSuffix(before, after, head)
  // Extend to whole words at both ends, so that no edit starts inside a word.
  const backed = /[\p{L}\p{N}\p{M}\s\p{Cs}]*$/u.exec(before.slice(Math.max(0, head - 64), head))?.[0].length ?? 0
  const ahead = /^[\p{L}\p{N}\p{M}\s\p{Cs}]*/u.exec(before.slice(before.length - tail).slice(0, 64))?.[0].length ?? 0
  const [start, end] = [head - backed, tail - ahead]
  const tokensOf = (text: string): readonly string[] => text.slice(start, text.length - end).match(TOKENS) ?? []
  const [a, b] = [tokensOf(before), tokensOf(after)]
  const common = commonSubsequence(a, b) ?? []
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
