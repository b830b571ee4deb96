import { type Bound, bind, signature } from '../arguments.js'
import type { Runtime } from '../runtime.js'
import { methodOf } from '../values/attribute.js'
import { textOf } from '../values/text-of.js'
import { type Arguments, type Markup, type Value, kindOf } from '../values/value.js'

/** A filter: `value | name(arguments)`. */
export type Filter = (rt: Runtime, value: Value, args: Arguments, name: string) => Value

/** Filters by name. */
export type Filters = Readonly<Record<string, Filter>>

/** Creates a filter with a signature of the parameters after the value. */
export function filter(parameters: string, run: (rt: Runtime, value: Value, args: Bound) => Value): Filter {
  const takes = signature(parameters)
  return (rt, value, args, name) => run(rt, value, bind(name, takes, args))
}

/** Returns a str or Markup unchanged, and the text of other values: markupsafe's `soft_str`. */
export const soft = (rt: Runtime, value: Value): string | Markup =>
  kindOf(value) === 'markup' ? (value as Markup) : textOf(rt, value)

/** Calls a method of a str or Markup. */
export const callMethod = (rt: Runtime, text: string | Markup, name: string, positional: readonly Value[]): Value =>
  methodOf(text, name)!(rt, text, { positional, named: undefined }, name)

/** Creates a filter that calls a method of the value's text. */
export function viaMethod(name: string, parameters: string): Filter {
  const takes = signature(parameters)
  return (rt, value, args) => {
    const positional = bind(name, takes, args).filter((argument) => argument !== undefined)
    return callMethod(rt, soft(rt, value), name, positional)
  }
}
