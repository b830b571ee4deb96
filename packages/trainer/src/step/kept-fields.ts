import { AttuneError, type Encoded, type Example, excerpt } from '@attune/core'

/** A symbol key keeps the fields out of the objective's item, and is copied when the item is spread. */
const FIELDS = Symbol('fields of the example')
type Keeping = Encoded & { readonly [FIELDS]?: Example }

/** Picks fields of an example. @throws AttuneError `MISSING_FIELD` */
function pick(example: Example, fields: readonly string[]): Example {
  const absent = fields.find((name) => !Object.hasOwn(example, name))
  if (absent !== undefined)
    throw new AttuneError(
      'MISSING_FIELD',
      `expected the field "${absent}", which a metric reads, got an example with ${excerpt(example, 120)}`,
      'Add the field to the data, or set another field in the options of the metric.',
    )
  return Object.fromEntries(fields.map((name) => [name, example[name]]))
}

/**
 * Attaches the fields of its example that metrics read to an item.
 * @throws AttuneError `MISSING_FIELD` if the example lacks one
 */
export const keepFields = (item: Encoded, example: Example, fields: readonly string[]): Encoded =>
  fields.length === 0 ? item : ({ ...item, [FIELDS]: pick(example, fields) } as Keeping)

/** Returns the fields attached to an item. */
export const fieldsOf = (item: Encoded, fields: readonly string[]): Example =>
  pick((item as Keeping)[FIELDS] ?? {}, fields)
