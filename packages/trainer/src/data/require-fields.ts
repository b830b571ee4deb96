import { AttuneError, type Chosen, type Example, excerpt, fieldsRead, nearest, titleOf } from '@attune/core'

/** The error for a field that an option of a plugin names and an example lacks, with the nearest field. */
export function missingField(title: string, field: string, example: Example): AttuneError {
  const [near = Object.keys(example)[0]] = nearest(field, Object.keys(example))
  return new AttuneError(
    'MISSING_FIELD',
    `${title}: expected the field "${field}", got an example without it: ${excerpt(example, 120)}`,
    `Name the field in the options of the plugin${near === undefined ? '' : `, for example "${near}"`}.`,
  )
}

/**
 * Passes items on.
 * @param exampleOf returns the example of an item
 * @throws AttuneError `MISSING_FIELD` at their end, if none has a field that the plugin reads
 */
export async function* requireFieldsIn<T>(
  items: AsyncIterable<T>,
  chosen: Pick<Chosen, 'plugin' | 'options'>,
  exampleOf: (item: T) => Example,
): AsyncGenerator<T, void> {
  const unseen = new Set(fieldsRead(chosen))
  let last: Example | undefined
  for await (const item of items) {
    last = exampleOf(item)
    for (const field of unseen) if (Object.hasOwn(last, field)) unseen.delete(field)
    yield item
  }
  for (const field of unseen) if (last !== undefined) throw missingField(titleOf(chosen.plugin), field, last)
}
