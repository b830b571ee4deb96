import { AttuneError, type Example, excerpt } from '@attune/core'

/**
 * Returns the finite number in a field of an example; a text that spells one is read.
 * @param option the option of the objective that names the field
 * @throws AttuneError `MISSING_FIELD`
 */
export function numberOf(example: Example, field: string, option: string): number {
  const value = Object.hasOwn(example, field) ? example[field] : undefined
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(Math.fround(number))) return number
  throw new AttuneError(
    'MISSING_FIELD',
    `expected a finite number in field "${field}" of an example, got ${excerpt(value, 120)}`,
    `Correct or remove the row, or name another field in the objective's option \`${option}\`.`,
  )
}
