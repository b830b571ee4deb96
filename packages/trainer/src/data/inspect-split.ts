import { type Chosen, type Example, type Objective, fieldsRead, isAttuneError } from '@attune/core'
import type { Split } from '../setup/splits.js'
import { type FaultFinder, emptyTextFinder, rowRules } from './row-rules.js'
import { withLocation } from './with-location.js'

/** Maximum number of rows that a warning names. */
const NAMED = 3

/** Maximum number of characters of a text that are tokenized to find the faults of its example. */
const TOKENIZED = 16

/** Returns a function that truncates the texts of an example. */
function textTruncation(objective: Chosen): (example: Example) => Example {
  const fields = [...fieldsRead(objective, 'text'), ...fieldsRead(objective, 'words')]
  const short = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((word: unknown) => (typeof word === 'string' ? word.slice(0, 1) : word))
    return typeof value === 'string' ? value.slice(0, TOKENIZED) : value
  }
  return (example) => {
    const changed: Record<string, unknown> = { ...example }
    for (const field of fields) if (Object.hasOwn(example, field)) changed[field] = short(example[field])
    return changed
  }
}

/**
 * Returns a function that finds the error of an example: an unknown label, a field of another type. It tokenizes only the first
 * characters of texts, unless there is an error.
 * @param chosen the plugin of the objective, and its options
 */
export function faultFinder(objective: Pick<Objective, 'encode'>, chosen: Chosen): FaultFinder {
  const truncated = textTruncation(chosen)
  const errorOf = (example: Example): unknown => {
    try {
      objective.encode(example)
      return undefined
    } catch (error) {
      return error
    }
  }
  return (example) => {
    // The error may be that of the truncated text.
    const error = errorOf(truncated(example)) === undefined ? undefined : errorOf(example)
    return isAttuneError(error) ? error : undefined
  }
}

/** Describes the empty texts of a split, naming the first rows. */
async function emptyTexts(split: Split, field: string, count: number, first: readonly Example[]): Promise<string> {
  const locations = await split.locate(first)
  const named =
    locations.length === 0 ? `in ${split.location}` : locations.join(', ') + (count > locations.length ? ', …' : '')
  return `${split.name}: ${count} ${count === 1 ? 'example has' : 'examples have'} an empty text in field "${field}": ${named}`
}

/**
 * Reads a split once, before anything is computed on it.
 * @returns warnings: empty texts
 * @throws AttuneError the error of the objective for an example that it cannot use, with the location of its row
 */
export async function inspectSplit(split: Split, objective: Chosen, faultOf: FaultFinder): Promise<readonly string[]> {
  const [rules, emptyField] = [rowRules(objective), emptyTextFinder(objective)]
  const first: Example[] = []
  let [count, field] = [0, '']
  for await (const example of split.examples()) {
    const fault = rules(example) ?? faultOf(example)
    if (fault !== undefined) throw withLocation(fault, (await split.locate([example]))[0] ?? split.location)
    const empty = emptyField(example)
    if (empty === undefined) continue
    if (count++ === 0) field = empty
    if (first.length < NAMED) first.push(example)
  }
  return count === 0 ? [] : [await emptyTexts(split, field, count, first)]
}
