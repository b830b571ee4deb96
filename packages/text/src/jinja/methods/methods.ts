import { type Lookup, braceFormatWith } from '../text/brace-format.js'
import type { Value } from '../values/value.js'
import { dictMethods, listMethods, rangeMethods, tupleMethods } from './container-methods.js'
import type { Method, Methods } from './method.js'
import { floatMethods, intMethods } from './number-methods.js'
import { markupMethods, textMethods } from './text-methods.js'

/** Looks up a method of a value by name; undefined if its type has none. */
export type MethodOf = (value: Value, name: string) => Method<Value> | undefined

/** Creates a {@link MethodOf}; its `str.format` looks up attributes and items with `lookup`. */
export function methodsWith(lookup: Lookup): MethodOf {
  const braceFormat = braceFormatWith(lookup)
  const byKind: Readonly<Record<string, Methods<never>>> = {
    string: textMethods(braceFormat),
    number: intMethods,
    bigint: intMethods,
    boolean: intMethods,
    markup: markupMethods(braceFormat),
    float: floatMethods,
    list: listMethods,
    tuple: tupleMethods,
    dict: dictMethods,
    range: rangeMethods,
  }
  return (value, name) => {
    if (value === null) return undefined
    const methods = byKind[typeof value === 'object' ? value.kind : typeof value]
    return methods !== undefined && Object.hasOwn(methods, name) ? (methods[name] as Method<Value>) : undefined
  }
}
