import type { Runtime } from '../runtime.js'
import { toFloat } from './integers.js'

/** Python's float. An int is a JavaScript number that is a safe integer, or a bigint beyond. */
export interface Float {
  readonly kind: 'float'
  readonly value: number
}

/** A text that counts as escaped HTML: markupsafe's Markup. */
export interface Markup {
  readonly kind: 'markup'
  readonly text: string
}

/** Python's list; templates cannot change one. */
export interface List {
  readonly kind: 'list'
  readonly items: readonly Value[]
}

/** Python's tuple. */
export interface Tuple {
  readonly kind: 'tuple'
  readonly items: readonly Value[]
  /** Names of the items, where it is a named tuple. */
  readonly names?: readonly string[]
}

/** A key as a `Map` finds it; values that are equal in Python have the same one. */
export type Key = string | number | bigint | null | object

/** Python's dict, in order of insertion. */
export interface Dict {
  readonly kind: 'dict'
  readonly map: Map<Key, Value>
  /** The values of keys that are not their own {@link Key}: booleans, floats, tuples. */
  readonly odd: Map<Key, Value> | undefined
}

/** What `dict.keys()`, `dict.values()` and `dict.items()` return. */
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

/** An iterator, which can be read once: Python's generators and what `reversed` returns. */
export interface Iterator {
  readonly kind: 'iterator'
  readonly type: string
  readonly pull: Pull
  /** Iterators that read each other, this one included. */
  readonly depth: number
}

/** The value of a name or attribute that is missing. */
export interface Undefined {
  readonly kind: 'undefined'
  /** Raises the error of an operation that an undefined value does not have. */
  readonly complain: (rt: Runtime) => never
}

/** What `namespace()` returns: the one value that a template can change. */
export interface Namespace {
  readonly kind: 'namespace'
  readonly values: Map<string, Value>
}

/** Arguments of a call. */
export interface Arguments {
  readonly positional: readonly Value[]
  readonly named: ReadonlyMap<string, Value> | undefined
}

/** A function, method, macro, or another object that Jinja2 gives to templates. */
export interface Thing {
  readonly kind: 'thing'
  /** Python's name of its class. */
  readonly type: string
  readonly repr: (rt: Runtime) => string
  readonly call?: (rt: Runtime, given: Arguments) => Value
  /** Writes what a call returns straight to the output, where that is a text. */
  readonly write?: (rt: Runtime, given: Arguments) => void
  readonly attribute?: (rt: Runtime, name: string) => Value | undefined
  readonly length?: (rt: Runtime) => number
  /** The values that it has, where it can be iterated over. */
  readonly pull?: Pull
}

/** A value of a template. */
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
  | Thing

/** Makes a float. */
export const float = (value: number): Float => ({ kind: 'float', value })
/** Makes a list. */
export const list = (items: readonly Value[]): List => ({ kind: 'list', items })
/** Makes a tuple. */
export const tuple = (items: readonly Value[]): Tuple => ({ kind: 'tuple', items })
/** Makes Markup of a text that is escaped. */
export const markup = (text: string): Markup => ({ kind: 'markup', text })

/** The kind of a value that is an object here; undefined for None, booleans, ints and strings. */
export const kindOf = (value: Value): Exclude<Value, null | boolean | number | bigint | string>['kind'] | undefined =>
  typeof value === 'object' && value !== null ? value.kind : undefined

/** The text of a str or Markup; undefined for anything else. */
export const stringOf = (value: Value): string | undefined =>
  typeof value === 'string' ? value : kindOf(value) === 'markup' ? (value as Markup).text : undefined

/** True for the value of a missing name or attribute. */
export const isUndefined = (value: Value): value is Undefined => kindOf(value) === 'undefined'

/** The number of an int or bool; undefined for anything else. */
export function intOf(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  return typeof value === 'boolean' ? Number(value) : undefined
}

/** The value of a number as a float; undefined for what is not a number. */
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

/** Python's name of a value's class. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  if (typeof value === 'string') return 'str'
  if (value.kind === 'thing' || value.kind === 'iterator') return value.type
  return value.kind === 'view' ? `dict_${value.of}` : TYPES[value.kind]
}
