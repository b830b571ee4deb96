import { fail } from '../failure.js'
import { type Runtime, charge } from '../runtime.js'
import { isDigit } from '../text/character-classes.js'
import { lower } from '../text/letter-case.js'
import { splitOn } from '../text/split.js'
import { getItem } from '../values/attribute.js'
import { type Value, isUndefined, list, markup, stringOf } from '../values/value.js'

/** Computes the key by which an item is sorted, grouped or compared. */
export type Getter = (item: Value) => Value

/** Converts a str to lower case; returns other values unchanged. */
export function ignoreCase(rt: Runtime, value: Value): Value {
  const text = stringOf(value)
  if (text === undefined) return value
  return typeof value === 'string' ? lower(rt, text) : markup(lower(rt, text))
}

/** Accounts for the memory of a key that is compared many times. */
const chargeKey = (rt: Runtime, value: Value): Value => {
  const text = stringOf(value)
  if (text !== undefined) charge(rt, text)
  return value
}

const isNumber = (part: string): boolean => part !== '' && Array.from(part).every(isDigit)

function partsOf(rt: Runtime, attribute: Value | undefined): readonly Value[] {
  if (attribute === undefined || attribute === null) return []
  const text = stringOf(attribute)
  if (text === undefined) return [attribute]
  return splitOn(rt, text, '.', -1).map((part) => {
    if (!isNumber(part)) return part
    return /^\d+$/.test(part) ? Number(part) : fail('ValueError', `invalid literal for int() with base 10: '${part}'`)
  })
}

const walk = (rt: Runtime, parts: readonly Value[], item: Value, other?: Value): Value => {
  let value = item
  for (const part of parts) {
    value = getItem(rt, value, part)
    if (other !== undefined && other !== null && isUndefined(value)) value = other
  }
  return value
}

/** Options of a getter. */
export interface GetterOptions {
  /** True to keep the case of texts, false to convert them to lower case. Default: true. */
  readonly isCaseSensitive?: boolean
  /** Default value for a missing attribute. */
  readonly other?: Value | undefined
}

const caseOf = (isCaseSensitive: boolean): ((rt: Runtime, value: Value) => Value) =>
  isCaseSensitive ? chargeKey : ignoreCase

/** Creates a getter of an attribute such as `address.city` or `0.name`; without an attribute, of the item itself. */
export function getter(rt: Runtime, attribute: Value | undefined, options: GetterOptions = {}): Getter {
  const parts = partsOf(rt, attribute)
  const finish = caseOf(options.isCaseSensitive ?? true)
  return (item) => finish(rt, walk(rt, parts, item, options.other))
}

/** Creates a getter of several attributes such as `age,name`: a list of their values. */
export function multiGetter(rt: Runtime, attribute: Value | undefined, isCaseSensitive: boolean): Getter {
  const text = attribute === undefined ? undefined : stringOf(attribute)
  const names = text === undefined ? [attribute] : splitOn(rt, text, ',', -1)
  const paths = names.map((name) => partsOf(rt, name))
  const finish = caseOf(isCaseSensitive)
  return (item) => {
    rt.spend(10 + 10 * paths.length)
    rt.hold(48 + 16 * paths.length)
    return list(paths.map((parts) => finish(rt, walk(rt, parts, item))))
  }
}
