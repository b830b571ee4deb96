import { fail } from './failure.js'
import type { Runtime } from './runtime.js'
import { type Arguments, type Value, intOf, stringOf, typeName } from './values/value.js'

/** Parameters of a function. */
export interface Signature {
  readonly names: readonly string[]
  readonly required: number
  /** True if its arguments cannot be given by name. */
  readonly isPositional: boolean
}

/** Arguments in the order of the parameters; undefined for those that were not given. */
export type Bound = readonly (Value | undefined)[]

/** Reads a signature: names, `?` after those that may be missing, `/` at the end if none may be given by name. */
export function signature(text: string): Signature {
  const words = text.split(' ').filter((word) => word !== '')
  const names = words.filter((word) => word !== '/')
  return {
    names: names.map((name) => name.replace('?', '')),
    required: names.filter((name) => !name.endsWith('?')).length,
    isPositional: words.includes('/'),
  }
}

function bindNamed(of: string, { names, isPositional }: Signature, given: Arguments): Bound {
  const bound: (Value | undefined)[] = [...given.positional]
  for (const [name, value] of given.named ?? []) {
    if (isPositional) fail('TypeError', `${of}() takes no keyword arguments`)
    const at = names.indexOf(name)
    if (at < 0) fail('TypeError', `${of}() got an unexpected keyword argument '${name}'`)
    if (bound[at] !== undefined) fail('TypeError', `${of}() got multiple values for argument '${name}'`)
    bound[at] = value
  }
  return bound
}

/**
 * Arguments in the order of a function's parameters.
 * @throws TypeError of Python where there are too many, too few or unknown ones
 */
export function bind(of: string, parameters: Signature, given: Arguments): Bound {
  const { names, required } = parameters
  if (given.positional.length > names.length)
    fail('TypeError', `${of}() takes at most ${names.length} arguments (${given.positional.length} given)`)
  const bound = given.named === undefined ? given.positional : bindNamed(of, parameters, given)
  for (let at = 0; at < required; at++)
    if (bound[at] === undefined) fail('TypeError', `${of}() missing the required argument '${names[at]}'`)
  return bound
}

/** The text of an argument that must be a str. */
export const asText = (value: Value): string =>
  stringOf(value) ?? fail('TypeError', `expected a str, got a value of type ${typeName(value)}`)

/** The number of an argument that must be an int; large ones are infinite. */
export function asInt(value: Value): number {
  const int = intOf(value)
  if (int === undefined) return fail('TypeError', `'${typeName(value)}' object cannot be interpreted as an integer`)
  return typeof int === 'bigint' ? (int > 0n ? Infinity : -Infinity) : int
}

/** A function as Python's built-in ones are called. */
export type Run = (rt: Runtime, given: Arguments) => Value
