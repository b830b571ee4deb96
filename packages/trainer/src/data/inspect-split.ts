import {
  type AttuneError,
  type Chosen,
  type Encoded,
  type Example,
  type Objective,
  fieldsRead,
  isAttuneError,
} from '@attune/core'
import type { NextTokenItem } from '@attune/data'
import type { Split } from '../setup/splits.js'
import { emptyTextFinder, rowRules } from './row-rules.js'
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

/** Result of encoding an example: its error, or the encoded example. */
export interface ReadRow {
  readonly fault?: AttuneError
  readonly item?: Encoded & Pick<NextTokenItem, 'lostSpans'>
}

/**
 * Returns a function that encodes an example, to find its error: an unknown label, a field of another type. It tokenizes only the first
 * characters of texts, unless there is an error.
 * @param chosen the plugin of the objective, and its options
 */
export function rowReader(objective: Pick<Objective, 'encode'>, chosen: Chosen): (example: Example) => ReadRow {
  const truncated = textTruncation(chosen)
  const read = (example: Example): ReadRow & { readonly failed: boolean } => {
    try {
      return { failed: false, item: objective.encode(example) as Encoded }
    } catch (error) {
      return { failed: true, ...(isAttuneError(error) && { fault: error }) }
    }
  }
  return (example) => {
    // The error may be that of the truncated text.
    const short = read(truncated(example))
    return short.failed ? read(example) : short
  }
}

/** Number of examples of a kind, and the first of them. */
interface Noted {
  count: number
  readonly first: Example[]
}

function note(noted: Noted, example: Example): void {
  noted.count++
  if (noted.first.length < NAMED) noted.first.push(example)
}

/** Describes examples of a split, naming the first rows; nothing if there are none. */
async function described(split: Split, { count, first }: Noted, what: string): Promise<string[]> {
  if (count === 0) return []
  const locations = await split.locate(first)
  const named =
    locations.length === 0 ? `in ${split.location}` : locations.join(', ') + (count > locations.length ? ', …' : '')
  return [`${split.name}: ${count} ${count === 1 ? 'example has' : 'examples have'} ${what}: ${named}`]
}

/**
 * Reads a split once, before anything is computed on it.
 * @returns warnings: empty texts, and answers of conversations that are truncated entirely while another one trains
 * @throws AttuneError the error of the objective for an example that it cannot use, with the location of its row
 */
export async function inspectSplit(
  split: Split,
  objective: Chosen,
  read: (example: Example) => ReadRow,
): Promise<readonly string[]> {
  const [rules, emptyField] = [rowRules(objective), emptyTextFinder(objective)]
  const none = (): Noted => ({ count: 0, first: [] })
  const [empty, lost] = [none(), none()]
  let field = ''
  for await (const example of split.examples()) {
    const broken = rules(example)
    const { fault, item }: ReadRow = broken === undefined ? read(example) : { fault: broken }
    if (fault !== undefined) throw withLocation(fault, (await split.locate([example]))[0] ?? split.location)
    const own = emptyField(example)
    if (own !== undefined) {
      field ||= own
      note(empty, example)
    }
    if ((item?.lostSpans ?? 0) > 0) note(lost, example)
  }
  return [
    ...(await described(split, empty, `an empty text in field "${field}"`)),
    ...(await described(split, lost, 'an answer that is truncated entirely and does not train')),
  ]
}
