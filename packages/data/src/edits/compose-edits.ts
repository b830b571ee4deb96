import type { Edit } from '@attune/core'

/** A part of the text between two lists of edits: a kept part of the first text, or what an edit put there. */
interface Piece {
  readonly start: number
  readonly end: number
  /** The part of the first text that it stands for. */
  readonly from: number
  readonly to: number
  /** Undefined for kept text. */
  readonly text: string | undefined
}

/** The pieces of a text of unknown length after edits. */
function piecesOf(edits: readonly Edit[]): Piece[] {
  const pieces: Piece[] = []
  let [at, from] = [0, 0]
  const add = (length: number, to: number, text: string | undefined): void => {
    pieces.push({ start: at, end: at + length, from, to, text })
    at += length
    from = to
  }
  for (const { start, end, text } of edits) {
    if (start > from) add(start - from, start, undefined)
    add(text.length, end, text)
  }
  add(Infinity, Infinity, undefined)
  return pieces
}

/** Joins changes that touch each other. */
function joiner() {
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
 * Composes two lists of edits: the result does to a text at once what `first`, and then `second` on its outcome, do. In linear time.
 *
 * @example
 * composeEdits([{ start: 0, end: 5, text: '&' }], [{ start: 0, end: 4, text: '<' }]) // on '&amp;lt;': [{ start: 0, end: 8, text: '<' }]
 */
export function composeEdits(first: readonly Edit[], second: readonly Edit[]): readonly Edit[] {
  if (first.length === 0) return second
  const joined = joiner()
  const pieces = piecesOf(first)
  let [index, at] = [0, 0]
  /** Passes on the text between the lists up to a position. */
  const pass = (until: number, keeps: boolean): void => {
    for (; index < pieces.length; index++) {
      const { start, end, from, to, text } = pieces[index]!
      const [left, right] = [at - start, Math.min(end, until) - start]
      if (text !== undefined) joined.change(left === 0 ? from : to, to, keeps ? text.slice(left, right) : '')
      else if (right > left && keeps) joined.keep()
      else if (right > left) joined.change(from + left, from + right, '')
      at = Math.max(at, start + right)
      if (end > until) return
    }
  }
  for (const { start, end, text } of second) {
    pass(start, true)
    const current = pieces[index]!
    const source = current.text === undefined ? current.from + at - current.start : current.to
    joined.change(source, source, text)
    pass(end, false)
  }
  pass(Infinity, true)
  return joined.edits()
}
