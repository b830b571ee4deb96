import type { Edit } from '@attune/core'

/** A segment of the intermediate text between two lists of edits: either kept from the original text or inserted. */
interface Segment {
  readonly start: number
  readonly end: number
  /** The range in the original text that it replaces. */
  readonly from: number
  readonly to: number
  /** Undefined for kept text. */
  readonly text: string | undefined
}

/** Returns the segments of the edited text; the length of the text is unknown. */
function segmentsOf(edits: readonly Edit[]): Segment[] {
  const segments: Segment[] = []
  let [at, from] = [0, 0]
  const add = (length: number, to: number, text: string | undefined): void => {
    segments.push({ start: at, end: at + length, from, to, text })
    at += length
    from = to
  }
  for (const { start, end, text } of edits) {
    if (start > from) add(start - from, start, undefined)
    add(text.length, end, text)
  }
  add(Infinity, Infinity, undefined)
  return segments
}

/** Collects edits and merges adjacent changes. */
function editCollector() {
  const edits: Edit[] = []
  let open: { start: number; end: number; texts: string[] } | undefined
  const close = (): void => {
    if (open !== undefined) edits.push({ start: open.start, end: open.end, text: open.texts.join('') })
    open = undefined
  }
  return {
    keep: close,
    change(start: number, end: number, text: string): void {
      open ??= { start, end, texts: [] }
      open.end = end
      open.texts.push(text)
    },
    edits: () => (close(), edits),
  }
}

/**
 * Composes two lists of edits into one that is equivalent to applying `first` and then `second`. Linear time.
 *
 * @example
 * ```ts
 * import { applyEdits, composeEdits } from '@attune/data'
 * const [first, second] = [[{ start: 0, end: 5, text: '&' }], [{ start: 0, end: 4, text: '<' }]]
 * console.log(composeEdits(first, second)) // [ { start: 0, end: 8, text: '<' } ]
 * console.log(applyEdits('&amp;lt;', composeEdits(first, second))) // <
 * ```
 */
export function composeEdits(first: readonly Edit[], second: readonly Edit[]): readonly Edit[] {
  if (first.length === 0) return second
  const collected = editCollector()
  const segments = segmentsOf(first)
  let [index, at] = [0, 0]
  /** Keeps or deletes the intermediate text up to a position. */
  const advance = (until: number, keeps: boolean): void => {
    for (; index < segments.length; index++) {
      const { start, end, from, to, text } = segments[index]!
      const [left, right] = [at - start, Math.min(end, until) - start]
      if (text !== undefined) collected.change(left === 0 ? from : to, to, keeps ? text.slice(left, right) : '')
      else if (right > left && keeps) collected.keep()
      else if (right > left) collected.change(from + left, from + right, '')
      at = Math.max(at, start + right)
      if (end > until) return
    }
  }
  for (const { start, end, text } of second) {
    advance(start, true)
    const current = segments[index]!
    const source = current.text === undefined ? current.from + at - current.start : current.to
    collected.change(source, source, text)
    advance(end, false)
  }
  advance(Infinity, true)
  return collected.edits()
}
