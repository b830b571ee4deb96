import { type Example, isRecord } from '@attune/core'
import { type Answer, locateAnswer, missingField } from '@attune/data'

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
  return real.map(({ text, start }) => locateAnswer(text, start, context))
}
