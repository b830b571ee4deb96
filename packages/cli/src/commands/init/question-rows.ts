import { type Example, isRecord } from '@attune/core'
import { type Fields, everyRow } from './tasks.js'

type Names = Readonly<Record<string, readonly string[]>>

const isString = (value: unknown): value is string => typeof value === 'string'
const isName = (value: unknown): boolean => isString(value) || typeof value === 'number'
const isTexts = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.every(isString)

/** The texts of answers or choices: a text, a list, or those of `{ text: [...] }`. */
function textsIn(value: unknown): readonly unknown[] {
  const given = isRecord(value) ? value['text'] : value
  return isTexts(given) ? given : isString(given) ? [given] : []
}

/** The first name that every row has with a value that `is` accepts. */
const named = (rows: readonly Example[], names: readonly string[], is: (value: unknown) => boolean) =>
  names.find((name) => everyRow(rows, name, is))

/**
 * The question, the context and the answers of rows whose answers are parts of their context; undefined for other rows. Rows with offsets
 * count, even if no row has an answer.
 */
export function spanFields(rows: readonly Example[], names: Names): Fields | undefined {
  const question = named(rows, names['question']!, isString)
  const context = named(rows, names['context']!, isString)
  const areAnswers = (value: unknown): boolean => isString(value) || isTexts(value) || isRecord(value)
  const answers = named(rows, names['answers']!, areAnswers)
  if (question === undefined || context === undefined || answers === undefined) return undefined
  const isWithin = rows.every((row) =>
    textsIn(row[answers]).every((text) => String(row[context]).includes(String(text))),
  )
  return isWithin ? { question, context, answers } : undefined
}

/** The fields `ending0`, `ending1`, … that every row has, as in SWAG. */
const endings = (rows: readonly Example[]): readonly string[] =>
  Object.keys(rows[0] ?? {}).filter(
    (name) => /^(ending|choice|option)_?\d$/.test(name) && everyRow(rows, name, isString),
  )

/** The context, the choices and the right choice of rows in the layouts of ARC and SWAG; undefined for other rows. */
export function choiceFields(rows: readonly Example[], names: Names): Fields | undefined {
  const context = named(rows, names['context']!, isString)
  const label = named(rows, names['label']!, isName)
  const listed = named(rows, names['choices']!, (value) => !isString(value) && textsIn(value).length > 1)
  const several = endings(rows)
  const choices = listed ?? (several.length > 1 ? several : undefined)
  if (context === undefined || label === undefined || choices === undefined) return undefined
  const hasPrefix = context === 'sent1' && everyRow(rows, 'sent2', isString)
  return { context, ...(hasPrefix ? { prefix: 'sent2' } : {}), choices, label }
}
