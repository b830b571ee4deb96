import type { Edit } from '@attune/core'
import { requireEdits } from './apply-edits.js'

/** A part of a text, in UTF-16 code units, without `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The number of edits for which `isBefore` holds; it holds for the first ones. */
function countBefore(edits: readonly Edit[], isBefore: (edit: Edit) => boolean): number {
  let [low, high] = [0, edits.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(edits[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}

/** Differences of length that the first edits make, `[edits + 1]`. */
function shiftsOf(edits: readonly Edit[]): Float64Array {
  const shifts = new Float64Array(edits.length + 1)
  for (const [i, { start, end, text }] of edits.entries()) shifts[i + 1] = shifts[i]! + text.length - (end - start)
  return shifts
}

/**
 * Moves spans of a text to where they are after edits. Text that is inserted at an end of a span stays outside of it; an edit that
 * covers an end is within it. A span whose text was deleted becomes empty.
 * @throws AttuneError `BAD_EDITS`
 *
 * @example
 * moveSpans([{ start: 5, end: 9 }], [{ start: 0, end: 3, text: '' }]) // [{ start: 2, end: 6 }]
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
