import { AttuneError } from '@attune/core'

/** @throws AttuneError `BAD_ARGUMENT` unless `value` is a whole number from `least`. */
export function requireWhole(caller: string, name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `${caller}: \`${name}\` must be a whole number from ${least}, got ${value}`,
    `Pass a whole number that is at least ${least}.`,
  )
}
