import { type Example, isRecord } from '@attune/core'
import { labelOf, missingField, textOrName } from '@attune/data'

/** The choices of a question: their texts, and their names, which a label may be. */
export interface Choices {
  readonly texts: readonly string[]
  readonly names: readonly string[]
}

const isText = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'
const isTexts = (value: unknown): value is readonly (string | number)[] =>
  Array.isArray(value) && value.length > 0 && value.every(isText)

/**
 * The choices of an example: a list of texts, `{ text: [...], label: [...] }` as in ARC, or several fields with one text each, as in
 * SWAG. Their names are the labels of ARC, otherwise the indices from 0.
 * @throws AttuneError `MISSING_FIELD`
 */
export function choicesOf(example: Example, field: string | readonly string[]): Choices {
  if (typeof field !== 'string') return withNames(field.map((name) => textOrName(example, name, 'choices')))
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  if (isTexts(value)) return withNames(value.map(String))
  const [texts, names] = isRecord(value) ? [value['text'], value['label']] : []
  if (isTexts(texts) && isTexts(names) && texts.length === names.length)
    return { texts: texts.map(String), names: names.map(String) }
  throw missingField(example, field, 'list of choices', 'choices')
}

const withNames = (texts: readonly string[]): Choices => ({ texts, names: texts.map((_, i) => String(i)) })

/**
 * Index of the right choice, whose name is the label.
 * @throws AttuneError `MISSING_FIELD`
 */
export function rightChoice(example: Example, field: string, names: readonly string[]): number {
  const right = names.indexOf(labelOf(example, field))
  if (right < 0) throw missingField(example, field, `label of a choice (${names.join(', ')})`, 'label')
  return right
}
