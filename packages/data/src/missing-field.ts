import { AttuneError, type Example, excerpt, nearest, shortened } from '@attune/core'

/**
 * The error `MISSING_FIELD`: an example has no `what` under a field. It tells what the example has, and the fields whose names are nearest.
 * @param option of the objective that names the field, where it is known
 */
export function missingField(example: Example, field: string, what: string, option?: string): AttuneError {
  const near = nearest(field, Object.keys(example))
  const place = `${option === undefined ? '' : `under \`${option}\` `}in the objective's options.`
  return new AttuneError(
    'MISSING_FIELD',
    `an example has no ${what} under "${field}": it has ${excerpt(example, 120)}`,
    near.length > 0
      ? `Did you mean ${near.map((name) => shortened(name)).join(' or ')}? Name it ${place}`
      : `Name the field ${place}`,
  )
}
