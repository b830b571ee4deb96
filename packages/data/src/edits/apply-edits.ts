import { AttuneError, type Edit } from '@attune/core'

const badEdits = (problem: string): AttuneError =>
  new AttuneError('BAD_EDITS', problem, 'Return edits in text order, within the text, and without overlaps.')

/**
 * Throws unless edits are sorted, do not overlap, and lie within the text.
 * @param length the length of the text, in UTF-16 code units
 * @throws AttuneError `BAD_EDITS`
 */
export function requireEdits(length: number, edits: readonly Edit[]): void {
  let last = 0
  for (const [i, { start, end }] of edits.entries()) {
    if (!Number.isInteger(start) || !Number.isInteger(end) || start > end || start < 0 || end > length)
      throw badEdits(`expected edit ${i + 1} within [0, ${length}], got [${start}, ${end})`)
    if (start < last)
      throw badEdits(
        `expected edits that are sorted and do not overlap, got edit ${i + 1} at ${start} after an end at ${last}`,
      )
    last = end
  }
}

/**
 * Applies edits to a text.
 * @throws AttuneError `BAD_EDITS`
 *
 * @example
 * ```ts
 * import { applyEdits } from '@attune/data'
 * console.log(applyEdits('a  b', [{ start: 1, end: 3, text: ' ' }])) // a b
 * ```
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text
  requireEdits(text.length, edits)
  const parts: string[] = []
  let at = 0
  for (const { start, end, text: replacement } of edits) {
    parts.push(text.slice(at, start), replacement)
    at = end
  }
  return parts.join('') + text.slice(at)
}
