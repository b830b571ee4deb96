import type { Edit } from '@attune/core'
import { requireEdits } from './apply-edits.js'

/** A character span `[start, end)`, in UTF-16 code units. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Binary search: returns the number of leading edits for which `isBefore` is true. */
function countBefore(edits: readonly Edit[], isBefore: (edit: Edit) => boolean): number {
  let [low, high] = [0, edits.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(edits[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}

/** Cumulative length changes of the edits, `[edits + 1]`. */
function shiftsOf(edits: readonly Edit[]): Float64Array {
  const shifts = new Float64Array(edits.length + 1)
  for (const [i, { start, end, text }] of edits.entries()) shifts[i + 1] = shifts[i]! + text.length - (end - start)
  return shifts
}

/**
 * Maps character spans (entities, answers) to their positions after edits. Text inserted at an end of a span stays outside; an
 * edit across an end is included. A span whose text was deleted becomes empty.
 * @throws AttuneError `BAD_EDITS`
 *
 * @example
 * ```ts
 * import { moveSpans } from '@attune/data'
 * const edits = [{ start: 0, end: 3, text: '' }]
 * console.log(moveSpans([{ start: 5, end: 9 }], edits)) // [ { start: 2, end: 6 } ]
 * ```
 */
export function moveSpans<S extends Span>(spans: readonly S[], edits: readonly Edit[]): readonly S[] {
  requireEdits(Infinity, edits)
  const shifts = shiftsOf(edits)
  const startOf = (at: number): number => {
    const before = countBefore(edits, (edit) => edit.end <= at)
    return Math.min(at, edits[before]?.start ?? Infinity) + shifts[before]!
  }
  const endOf = (at: number): number => {
    const before = countBefore(edits, (edit) => edit.start < at)
    const last = edits[before - 1]
    return Math.max(at, last?.end ?? 0) + shifts[before]!
  }
  return spans.map((span) => {
    const start = startOf(span.start)
    return { ...span, start, end: Math.max(start, endOf(span.end)) }
  })
}
