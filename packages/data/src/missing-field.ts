import { AttuneError, type Example, excerpt, nearest, shortened } from '@attune/core'

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`

/**
 * Creates the error `MISSING_FIELD`: an example has no `what` in a field, or a value of another type. The message quotes the example and suggests the nearest
 * fields.
 * @param option the option of the objective that names the field, if known
 */
export function missingField(example: Example, field: string, what: string, option?: string): AttuneError {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  if (value !== undefined && value !== null)
    return new AttuneError(
      'MISSING_FIELD',
      `expected a ${what} in field "${field}" of an example, got ${kindOf(value)}: ${excerpt(value, 120)}`,
      `Convert the values of "${field}" to texts, or name another field in the objective's options.`,
    )
  const near = nearest(field, Object.keys(example))
  const location = `${option === undefined ? '' : `under \`${option}\` `}in the objective's options.`
  return new AttuneError(
    'MISSING_FIELD',
    `expected a ${what} in field "${field}" of an example, got ${excerpt(example, 120)}`,
    near.length > 0
      ? `Did you mean ${near.map((name) => shortened(name)).join(' or ')}? Name it ${location}`
      : `Name the field ${location}`,
  )
}
