import { InvalidArgumentError } from 'commander'

/** Parses the value of an option. @throws InvalidArgumentError unless it is an integer of 1 or more */
export function positiveInteger(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new InvalidArgumentError('Expected a positive integer.')
}
