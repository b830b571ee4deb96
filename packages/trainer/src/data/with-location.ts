import type { AttuneError } from '@attune/core'

/** Returns an error with the location of its row, such as `train.csv:7`. */
export function withLocation(error: AttuneError, location: string): AttuneError {
  const { constructor, code, problem, remedy } = error
  return new (constructor as typeof AttuneError)(code, `${problem} (${location})`, remedy, { cause: error })
}
