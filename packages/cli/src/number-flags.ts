import { InvalidArgumentError } from 'commander'

const parser = (isValid: (value: number) => boolean, expected: string) => (text: string) => {
  const value = Number(text)
  if (text.trim() !== '' && isValid(value)) return value
  throw new InvalidArgumentError(`Expected ${expected}.`)
}

/** Parser of an option whose value is an integer of at least `minimum`. The parser throws InvalidArgumentError. */
export const integerFrom = (minimum: number) =>
  parser((value) => Number.isSafeInteger(value) && value >= minimum, `an integer of at least ${minimum}`)

/** Parses a positive number. @throws InvalidArgumentError for another value */
export const positiveNumber = parser((value) => Number.isFinite(value) && value > 0, 'a positive number')
