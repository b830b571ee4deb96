import { badSchema } from './schema.js'

const PROBLEM = 'a schema refers to itself'

/** Error for a schema that is valid only if it is valid, such as `{ "$ref": "#" }`. */
export const selfReference = (at: string): Error => badSchema(PROBLEM, at, 'Remove the reference.')

/** True for an error of {@link selfReference}. */
export const isSelfReference = (error: unknown): boolean =>
  String((error as { readonly problem?: unknown }).problem).startsWith(`${PROBLEM}, `)
