import { badSchema } from './schema.js'

const errors = new WeakSet<object>()

/** Error for a schema that is valid only if it is valid, such as `{ "$ref": "#" }`. */
export function selfReference(at: string): Error {
  const error = badSchema('a schema refers to itself', at, 'Remove the reference.')
  errors.add(error)
  return error
}

/** True for an error of {@link selfReference}. */
export const isSelfReference = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && errors.has(error)
