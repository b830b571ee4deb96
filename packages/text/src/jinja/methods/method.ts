import { type Bound, type Signature, bind, signature } from '../arguments.js'
import type { Runtime } from '../runtime.js'
import type { Arguments, HostObject, Value } from '../values/value.js'

/** A method of a value type. */
export type Method<T> = (rt: Runtime, self: T, args: Arguments, name: string) => Value

/** Methods by name. */
export type Methods<T> = Readonly<Record<string, Method<T>>>

/** Creates a method with a {@link signature}. */
export function method<T>(parameters: string, run: (rt: Runtime, self: T, args: Bound) => Value): Method<T> {
  const takes: Signature = signature(parameters)
  return (rt, self, args, name) => run(rt, self, bind(name, takes, args))
}

/** A bound method, as a value. */
export const bound = <T>(self: T, type: string, name: string, run: Method<T>): HostObject => ({
  kind: 'host',
  type: 'builtin_function_or_method',
  repr: () => `<built-in method ${name} of ${type} object>`,
  call: (rt, args) => run(rt, self, args, name),
})
