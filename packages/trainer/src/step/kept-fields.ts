import { AttuneError, type Encoded, type Example, type HostArray, excerpt } from '@attune/core'
import { fieldHash, textOrName } from '@attune/data'

/** A symbol key keeps the fields out of the objective's item, and is copied when the item is spread. */
const FIELDS = Symbol('fields of the example')
type Keeping = Encoded & { readonly [FIELDS]?: Example }

/** Picks fields of an example. @throws AttuneError `MISSING_FIELD` */
function pick(example: Example, fields: readonly string[]): Example {
  const absent = fields.find((name) => !Object.hasOwn(example, name))
  if (absent !== undefined)
    throw new AttuneError(
      'MISSING_FIELD',
      `expected the field "${absent}", which a plugin of the run reads, got an example with ${excerpt(example, 120)}`,
      'Add the field to the data, or set another field in the options of the plugin.',
    )
  return Object.fromEntries(fields.map((name) => [name, example[name]]))
}

/**
 * Attaches fields of its example, which metrics or regularizers read, to an item.
 * @throws AttuneError `MISSING_FIELD` if the example lacks one
 */
export const keepFields = (item: Encoded, example: Example, fields: readonly string[]): Encoded =>
  fields.length === 0 ? item : ({ ...item, [FIELDS]: pick(example, fields) } as Keeping)

/** Returns the fields attached to an item. */
export const fieldsOf = (item: Encoded, fields: readonly string[]): Example =>
  pick((item as Keeping)[FIELDS] ?? {}, fields)

/** The fields attached to the items of a batch, hashed: int32 `[batch]` by name. Empty if there are none. */
export const hashedFields = (items: readonly Encoded[]): Readonly<Record<string, HostArray>> =>
  Object.fromEntries(
    Object.keys((items[0] as Keeping | undefined)?.[FIELDS] ?? {}).map((name) => {
      const values = items.map((item) => fieldHash(textOrName((item as Keeping)[FIELDS]!, name)))
      return [name, { shape: [items.length], dtype: 'int32', values: Int32Array.from(values) }]
    }),
  )
