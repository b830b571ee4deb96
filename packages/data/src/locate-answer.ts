import { AttuneError, excerpt } from '@attune/core'

/** A reference answer: a part of the context, from `start` on, in UTF-16 code units. */
export interface Answer {
  readonly text: string
  readonly start: number
}

/** The offset in UTF-16 code units of a number of code points, as Python counts. */
const fromCodePoints = (text: string, points: number): number => Array.from(text).slice(0, points).join('').length

const notInContext = (text: string, start: number | undefined, context: string): AttuneError =>
  new AttuneError(
    'ANSWER_NOT_IN_CONTEXT',
    `expected the answer ${excerpt(text, 80)}${start === undefined ? '' : ` at offset ${start}`} in the context, got ${excerpt(start === undefined ? context : context.slice(start, start + text.length), 80)}`,
    'Correct the offset or the answer, or remove the row. Offsets count the characters of the context from 0.',
  )

/**
 * Finds an answer in a context at an offset in code points, as Python counts, or in UTF-16 code units, whichever fits; without an offset, its
 * first occurrence.
 * @throws AttuneError `ANSWER_NOT_IN_CONTEXT`
 *
 * @example
 * ```ts
 * import { locateAnswer } from '@attune/data'
 * console.log(locateAnswer('sat', undefined, 'Ada sat.').start, locateAnswer('Ada', 2, '😀 Ada sat.').start) // 4 3
 * ```
 */
export function locateAnswer(text: string, start: number | undefined, context: string): Answer {
  if (start !== undefined && start < 0) throw notInContext(text, start, context)
  if (start !== undefined && context.startsWith(text, start)) return { text, start }
  const found = start === undefined ? context.indexOf(text) : fromCodePoints(context, start)
  if (found < 0 || !context.startsWith(text, found)) throw notInContext(text, start, context)
  return { text, start: found }
}
