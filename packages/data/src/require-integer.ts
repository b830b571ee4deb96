import { AttuneError } from '@attune/core'

/** @throws AttuneError `BAD_ARGUMENT` unless `value` is an integer ≥ `minimum`. */
export function requireInteger(caller: string, name: string, value: number, minimum: number): void {
  if (Number.isSafeInteger(value) && value >= minimum) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `${caller}: expected an integer ≥ ${minimum} for \`${name}\`, got ${value}`,
    `Pass an integer of at least ${minimum}.`,
  )
}
