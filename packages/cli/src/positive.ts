import { AttuneError } from '@attune/core'

/** Parser of a numeric flag. The parser throws AttuneError `BAD_USAGE`. */
export const positive =
  (flag: string, unit: 'integer' | 'number', minimum: number) =>
  (text: string): number => {
    const value = Number(text)
    if (Number.isFinite(value) && value >= minimum && (unit === 'number' || Number.isInteger(value))) return value
    throw new AttuneError(
      'BAD_USAGE',
      `${flag}: expected ${unit === 'integer' ? `an integer of ${minimum} or more` : 'a number above 0'}, got "${text}"`,
      `For example: ${flag} ${unit === 'integer' ? 100 : 0.001}`,
    )
  }
