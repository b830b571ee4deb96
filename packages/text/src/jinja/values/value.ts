import type { Runtime } from '../runtime.js'
import { toFloat } from './integers.js'

/** Python's float. An int is a JavaScript number if it is a safe integer, else a bigint. */
export interface Float {
  readonly kind: 'float'
  readonly value: number
}

/** Escaped HTML: markupsafe's Markup. */
export interface Markup {
  readonly kind: 'markup'
  readonly text: string
}

/** Python's list; immutable in templates. */
export interface List {
  readonly kind: 'list'
  readonly items: readonly Value[]
}

/** Python's tuple. */
export interface Tuple {
  readonly kind: 'tuple'
  readonly items: readonly Value[]
  /** Field names of a named tuple. */
  readonly names?: readonly string[]
}

/** A key of a `Map`; values that are equal in Python have the same key. */
export type Key = string | number | bigint | null | object

/** Python's dict, in insertion order. */
export interface Dict {
  readonly kind: 'dict'
  readonly map: Map<Key, Value>
  /** Original values of keys that differ from their {@link Key}: booleans, floats, tuples. */
  readonly originalKeys: Map<Key, Value> | undefined
}

/** Result of `dict.keys()`, `dict.values()` or `dict.items()`. */
export interface View {
  readonly kind: 'view'
  readonly of: 'keys' | 'values' | 'items'
  readonly dict: Dict
}

/** Python's range. */
export interface Range {
  readonly kind: 'range'
  readonly start: number
  readonly stop: number
  readonly step: number
  readonly length: number
}

/** Returned by {@link Pull} after the last value. */
export const END: unique symbol = Symbol('end')

/** Returns the next value. */
export type Pull = () => Value | typeof END

/** An iterator, which can be read once: Python's generators, and the result of `reversed`. */
export interface Iterator {
  readonly kind: 'iterator'
  readonly type: string
  readonly pull: Pull
  /** Length of the chain of iterators that read each other, this one included. */
  readonly depth: number
}

/** Jinja2's Undefined: the value of a missing name or attribute. */
export interface Undefined {
  readonly kind: 'undefined'
  /** Raises the error for an operation that an undefined value does not support. */
  readonly raise: (rt: Runtime) => never
}

/** Result of `namespace()`: the only mutable value. */
export interface Namespace {
  readonly kind: 'namespace'
  readonly values: Map<string, Value>
}

/** Arguments of a call. */
export interface Arguments {
  readonly positional: readonly Value[]
  readonly named: ReadonlyMap<string, Value> | undefined
}

/** A function, method, macro, or another object of the environment. */
export interface HostObject {
  readonly kind: 'host'
  /** Python name of its class. */
  readonly type: string
  readonly repr: (rt: Runtime) => string
  readonly call?: (rt: Runtime, args: Arguments) => Value
  /** Writes the result of a call directly to the output, if it is a text. */
  readonly write?: (rt: Runtime, args: Arguments) => void
  readonly attribute?: (rt: Runtime, name: string) => Value | undefined
  readonly length?: (rt: Runtime) => number
  /** Its items, if it is iterable. */
  readonly pull?: Pull
}

/** A template value. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | Markup
  | List
  | Tuple
  | Dict
  | View
  | Range
  | Iterator
  | Undefined
  | Namespace
  | HostObject

/** Creates a float. */
export const float = (value: number): Float => ({ kind: 'float', value })
/** Creates a list. */
export const list = (items: readonly Value[]): List => ({ kind: 'list', items })
/** Creates a tuple. */
export const tuple = (items: readonly Value[]): Tuple => ({ kind: 'tuple', items })
/** Marks an escaped text as Markup. */
export const markup = (text: string): Markup => ({ kind: 'markup', text })

/** The kind of an object value; undefined for None, booleans, ints and strings. */
export const kindOf = (value: Value): Exclude<Value, null | boolean | number | bigint | string>['kind'] | undefined =>
  typeof value === 'object' && value !== null ? value.kind : undefined

/** The text of a str or Markup; undefined for other values. */
export const stringOf = (value: Value): string | undefined =>
  typeof value === 'string' ? value : kindOf(value) === 'markup' ? (value as Markup).text : undefined

/** True for the value of a missing name or attribute. */
export const isUndefined = (value: Value): value is Undefined => kindOf(value) === 'undefined'

/** The number in an int or bool; undefined for other values. */
export function intOf(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  return typeof value === 'boolean' ? Number(value) : undefined
}

/** Converts a number to a float; undefined for other values. */
export function floatOf(value: Value): number | undefined {
  if (kindOf(value) === 'float') return (value as { readonly value: number }).value
  const int = intOf(value)
  return int === undefined ? undefined : toFloat(int)
}

const TYPES = {
  float: 'float',
  markup: 'Markup',
  list: 'list',
  tuple: 'tuple',
  dict: 'dict',
  range: 'range',
  undefined: 'Undefined',
  namespace: 'TemplateNamespace',
} as const

/** Python name of a value's class. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  if (typeof value === 'string') return 'str'
  if (value.kind === 'host' || value.kind === 'iterator') return value.type
  return value.kind === 'view' ? `dict_${value.of}` : TYPES[value.kind]
}
