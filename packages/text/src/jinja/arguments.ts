import { fail } from './failure.js'
import type { Runtime } from './runtime.js'
import { type Arguments, type Value, intOf, stringOf, typeName } from './values/value.js'

/** Parameters of a function. */
export interface Signature {
  readonly names: readonly string[]
  readonly required: number
  /** True if its parameters are positional-only. */
  readonly isPositional: boolean
}

/** Arguments in parameter order; undefined for missing ones. */
export type Bound = readonly (Value | undefined)[]

/** Parses a signature: names, with `?` after optional ones, and `/` at the end if all are positional-only. */
export function signature(text: string): Signature {
  const words = text.split(' ').filter((word) => word !== '')
  const names = words.filter((word) => word !== '/')
  return {
    names: names.map((name) => name.replace('?', '')),
    required: names.filter((name) => !name.endsWith('?')).length,
    isPositional: words.includes('/'),
  }
}

function bindNamed(of: string, { names, isPositional }: Signature, args: Arguments): Bound {
  const bound: (Value | undefined)[] = [...args.positional]
  for (const [name, value] of args.named ?? []) {
    if (isPositional) fail('TypeError', `${of}() takes no keyword arguments`)
    const at = names.indexOf(name)
    if (at < 0) fail('TypeError', `${of}() got an unexpected keyword argument '${name}'`)
    if (bound[at] !== undefined) fail('TypeError', `${of}() got multiple values for argument '${name}'`)
    bound[at] = value
  }
  return bound
}

/**
 * Binds arguments to the parameters of a function.
 * @throws Python's TypeError if there are too many, too few or unknown arguments
 */
export function bind(of: string, parameters: Signature, args: Arguments): Bound {
  const { names, required } = parameters
  if (args.positional.length > names.length)
    fail('TypeError', `${of}() takes at most ${names.length} arguments (${args.positional.length} given)`)
  const bound = args.named === undefined ? args.positional : bindNamed(of, parameters, args)
  for (let at = 0; at < required; at++)
    if (bound[at] === undefined) fail('TypeError', `${of}() missing the required argument '${names[at]}'`)
  return bound
}

/** The text of a str argument. @throws Python's TypeError for other types */
export const asText = (value: Value): string =>
  stringOf(value) ?? fail('TypeError', `expected a str, got a value of type ${typeName(value)}`)

/** The value of an int argument; ±Infinity for large ints. @throws Python's TypeError for other types */
export function asInt(value: Value): number {
  const int = intOf(value)
  if (int === undefined) return fail('TypeError', `'${typeName(value)}' object cannot be interpreted as an integer`)
  return typeof int === 'bigint' ? (int > 0n ? Infinity : -Infinity) : int
}

/** Implementation of a built-in function. */
export type Run = (rt: Runtime, args: Arguments) => Value
