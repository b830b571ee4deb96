import { fail } from '../failure.js'
import { type MethodOf, methodsWith } from '../methods/methods.js'
import { bound } from '../methods/method.js'
import { type Runtime, charge } from '../runtime.js'
import { lookUp } from './dict.js'
import { itemAt } from './sequence.js'
import { repr } from './text-of.js'
import { type Tuple, type Undefined, type Value, intOf, isUndefined, kindOf, stringOf, typeName } from './value.js'

/** Attributes of every Python object, which Jinja2's sandbox hides. */
const INTERNAL = new Set(
  '__class__ __delattr__ __dir__ __doc__ __eq__ __format__ __ge__ __getattribute__ __gt__ __hash__ __init__ __init_subclass__ __le__ __lt__ __ne__ __new__ __reduce__ __reduce_ex__ __repr__ __setattr__ __sizeof__ __str__ __subclasshook__ __module__ __dict__ __len__ __contains__ __getitem__ __iter__ __call__'.split(
    ' ',
  ),
)

/** Methods that mutate a list or dict, which Jinja2's sandbox hides. */
const MUTATING: Readonly<Record<string, ReadonlySet<string>>> = {
  list: new Set('append clear pop reverse insert sort extend remove'.split(' ')),
  dict: new Set('clear pop popitem setdefault update'.split(' ')),
}

/** Undefined value of an unknown variable. */
export const undefinedName = (name: string): Undefined => ({
  kind: 'undefined',
  raise: () => fail('UndefinedError', `'${name}' is undefined`),
})

/** Undefined value with its own message. */
export const undefinedBecause = (message: string): Undefined => ({
  kind: 'undefined',
  raise: () => fail('UndefinedError', message),
})

const describe = (value: Value): string => {
  const name = typeName(value)
  if (value === null) return 'None'
  return kindOf(value) === 'namespace' || name === 'Markup' ? name : `${name} object`
}

/** Undefined value of a missing attribute or item. */
export const undefinedMember = (object: Value, name: Value): Undefined => ({
  kind: 'undefined',
  raise: (rt) =>
    stringOf(name) === undefined
      ? fail('UndefinedError', `${describe(object)} has no element ${repr(rt, name)}`)
      : fail('UndefinedError', `'${describe(object)}' has no attribute '${stringOf(name)}'`),
})

const unsafe = (object: Value, name: string): Undefined => ({
  kind: 'undefined',
  raise: () => fail('SecurityError', `access to attribute '${name}' of '${typeName(object)}' object is unsafe`),
})

/** Attributes of numbers, ranges and named tuples other than methods. */
function fieldOf(value: Value, name: string): Value | undefined {
  const int = intOf(value)
  if (int !== undefined || kindOf(value) === 'float') {
    if (name === 'real') return int ?? value
    if (name === 'imag') return int === undefined ? { kind: 'float', value: 0 } : 0
    if (int === undefined) return undefined
    return name === 'numerator' ? int : name === 'denominator' ? 1 : undefined
  }
  if (value === null || typeof value !== 'object') return undefined
  if (value.kind === 'range' && (name === 'start' || name === 'stop' || name === 'step')) return value[name]
  const at = value.kind === 'tuple' ? (value.names?.indexOf(name) ?? -1) : -1
  return at < 0 ? undefined : (value as Tuple).items[at]
}

/** Looks up a method of a value; undefined if its type has none. */
export const methodOf: MethodOf = methodsWith({ attribute: getAttribute, item: getItem })

/** True for methods that Jinja2's sandbox hides: those that mutate a list or dict. */
export const isHidden = (value: Value, name: string): boolean => MUTATING[kindOf(value) ?? '']?.has(name) === true

/**
 * Looks up an attribute of a value, like Python's `getattr` in Jinja2's sandbox; undefined if there is none.
 * @throws Jinja2's UndefinedError for an attribute of an undefined value
 */
export function attributeOf(rt: Runtime, value: Value, name: string): Value | undefined {
  if (INTERNAL.has(name)) return unsafe(value, name)
  const kind = kindOf(value)
  if (kind === 'undefined') return (value as Undefined).raise(rt)
  if (kind === 'namespace') {
    const found = (value as { readonly values: ReadonlyMap<string, Value> }).values.get(name)
    return found !== undefined && name.startsWith('_') ? unsafe(value, name) : found
  }
  if (kind === 'host') {
    const found = (value as { readonly attribute?: (rt: Runtime, name: string) => Value | undefined }).attribute?.(
      rt,
      name,
    )
    return found !== undefined && name.startsWith('_') ? unsafe(value, name) : found
  }
  if (isHidden(value, name)) return unsafe(value, name)
  const method = methodOf(value, name)
  if (method === undefined) return fieldOf(value, name)
  rt.hold(300)
  return bound(value, typeName(value), name, method)
}

/**
 * Jinja2's `value.name`: the attribute, else the item, else an undefined value.
 * @throws Jinja2's UndefinedError for an attribute of an undefined value
 */
export function getAttribute(rt: Runtime, value: Value, name: string): Value {
  rt.spend(6)
  const found = attributeOf(rt, value, name)
  if (found !== undefined) return found
  if (typeof value === 'object' && value !== null && value.kind === 'dict') {
    const item = lookUp(rt, value, name)
    if (item !== undefined) return item
  }
  rt.spend(10)
  rt.hold(160)
  return undefinedMember(value, name)
}

const INDEXED = new Set(['markup', 'list', 'tuple', 'range'])

const isKey = (key: Value): boolean => {
  const kind = kindOf(key)
  return kind !== 'list' && kind !== 'dict' && !(kind === 'view' && (key as { of: string }).of !== 'values')
}

function subscript(rt: Runtime, value: Value, key: Value): Value | undefined {
  const kind = kindOf(value)
  if (kind === 'dict') return isKey(key) ? lookUp(rt, value as never, key) : undefined
  const index = intOf(key)
  if (index === undefined || !(typeof value === 'string' || INDEXED.has(kind ?? ''))) return undefined
  return itemAt(rt, value, Number(index))
}

/**
 * Jinja2's `value[key]`: the item, else the attribute, else an undefined value.
 * @throws Jinja2's UndefinedError for an item of an undefined value
 */
export function getItem(rt: Runtime, value: Value, key: Value): Value {
  rt.spend(6)
  if (isUndefined(value)) return value.raise(rt)
  const item = subscript(rt, value, key)
  if (item !== undefined) return item
  const name = stringOf(key)
  if (name !== undefined) charge(rt, name)
  rt.spend(10)
  rt.hold(160)
  const attribute = name === undefined ? undefined : attributeOf(rt, value, name)
  return attribute === undefined ? undefinedMember(value, key) : attribute
}
