import { AttuneError, type Example, excerpt, isRecord } from '@attune/core'
import { missingField } from '@attune/data'

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

/** Finds an answer at an offset in code points or in UTF-16 code units, or its first occurrence if it has no offset. */
function locate(text: string, start: number | undefined, context: string): Answer {
  if (start !== undefined && context.startsWith(text, start)) return { text, start }
  const found = start === undefined ? context.indexOf(text) : fromCodePoints(context, start)
  if (found < 0 || !context.startsWith(text, found)) throw notInContext(text, start, context)
  return { text, start: found }
}

/** A value or a list of values as a list; undefined for neither. */
const listOf = (value: unknown): readonly unknown[] | undefined =>
  value === undefined || value === null ? undefined : [value].flat()

/** Offsets, numbers or texts that spell numbers. */
function offsetsOf(value: unknown): readonly number[] | undefined {
  const numbers = listOf(value)?.map((each) => (typeof each === 'string' && each !== '' ? Number(each) : each))
  return numbers?.every((each) => Number.isInteger(each)) === true ? (numbers as readonly number[]) : undefined
}

/**
 * The reference answers of an example, none if its question cannot be answered: `{ text: [...], answer_start: [...] }`, as in SQuAD, or
 * a text, or a list of texts, with offsets in another field. An empty text means that there is none. Without offsets an answer is the first occurrence
 * of its text. Offsets count code points, as in Python, or UTF-16 code units, whichever fits.
 * @throws AttuneError `MISSING_FIELD`, `ANSWER_NOT_IN_CONTEXT`
 */
export function answersOf(
  example: Example,
  fields: { answers: string; answerStart: string },
  context: string,
): Answer[] {
  const value = Object.hasOwn(example, fields.answers) ? example[fields.answers] : undefined
  const texts = listOf(isRecord(value) ? value['text'] : value)
  const given = isRecord(value) ? value['answer_start'] : example[fields.answerStart]
  const starts = offsetsOf(given)
  const fits = texts?.every((text) => typeof text === 'string') === true
  if (!fits) throw missingField(example, fields.answers, 'text, or { text, answer_start }', 'answers')
  const real = (texts as readonly string[])
    .map((text, i) => ({ text, start: starts?.[i] }))
    .filter(({ text }) => text !== '')
  if (real.length > 0 && isRecord(value) && starts?.length !== texts!.length)
    throw missingField(value, 'answer_start', 'list of offsets, one for each text,')
  return real.map(({ text, start }) => locate(text, start, context))
}
