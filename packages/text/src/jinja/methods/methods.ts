import type { Value } from '../values/value.js'
import { dictMethods, listMethods, rangeMethods, tupleMethods } from './container-methods.js'
import type { Method, Methods } from './method.js'
import { floatMethods, intMethods } from './number-methods.js'
import { markupMethods, textMethods } from './text-methods.js'

const BY_KIND: Readonly<Record<string, Methods<never>>> = {
  string: textMethods,
  number: intMethods,
  bigint: intMethods,
  boolean: intMethods,
  markup: markupMethods,
  float: floatMethods,
  list: listMethods,
  tuple: tupleMethods,
  dict: dictMethods,
  range: rangeMethods,
}

/** The method of a value with a name; undefined if its type has none. */
export function methodOf(value: Value, name: string): Method<Value> | undefined {
  if (value === null) return undefined
  const methods = BY_KIND[typeof value === 'object' ? value.kind : typeof value]
  return methods !== undefined && Object.hasOwn(methods, name) ? (methods[name] as Method<Value>) : undefined
}
