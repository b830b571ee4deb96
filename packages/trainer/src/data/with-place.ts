import type { AttuneError } from '@attune/core'

/** Returns an error with the place of its row, such as `train.csv:7`. */
export function withPlace(error: AttuneError, place: string): AttuneError {
  const { constructor, code, problem, remedy } = error
  return new (constructor as typeof AttuneError)(code, `${problem} (${place})`, remedy, { cause: error })
}
