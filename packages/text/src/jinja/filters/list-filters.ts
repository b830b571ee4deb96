import { asInt } from '../arguments.js'
import { fail } from '../failure.js'
import { type Runtime, charge, chargeEntries } from '../runtime.js'
import { pointsOf } from '../text/points.js'
import { binary } from '../values/arithmetic.js'
import { attributeOf, getAttribute, undefinedBecause, undefinedMember } from '../values/attribute.js'
import { pairsOf } from '../values/dict.js'
import { collect, generator, iterate, iterator, listOf, reversedItems, valuesOf } from '../values/iterate.js'
import { compare, isBefore } from '../values/ordering.js'
import { isTrue, itemAt, sizeOf } from '../values/sequence.js'
import { sorted } from '../values/sort.js'
import {
  END,
  type Value,
  floatOf,
  isUndefined,
  kindOf,
  list,
  markup,
  stringOf,
  tuple,
  typeName,
} from '../values/value.js'
import { getter, ignoreCase, multiGetter } from './attribute-getter.js'
import { type Filters, filter } from './filter.js'
import { joined } from './join.js'

const flag = (rt: Runtime, value: Value | undefined): boolean => value !== undefined && isTrue(rt, value)

/** Sorts items by a key, stably in both directions. */
export function sortedBy(
  rt: Runtime,
  items: readonly Value[],
  key: (item: Value) => Value,
  isReverse: boolean = false,
): readonly Value[] {
  rt.hold(64 * items.length)
  const keyed = items.map((item) => ({ item, key: key(item) }))
  const isFirst = (a: { readonly key: Value }, b: { readonly key: Value }): boolean =>
    isReverse ? isBefore(rt, b.key, a.key) : isBefore(rt, a.key, b.key)
  return sorted(rt, keyed, isFirst).map(({ item }) => item)
}

function extreme(
  rt: Runtime,
  value: Value,
  [caseSensitive, attribute]: readonly (Value | undefined)[],
  order: '<' | '>',
): Value {
  const items = collect(rt, value)
  if (items.length === 0) return undefinedBecause('No aggregated item, sequence was empty.')
  const key = getter(rt, attribute, { isCaseSensitive: flag(rt, caseSensitive) })
  let best: Value = items[0]!
  let bestKey = key(best)
  for (let at = 1; at < items.length; at++) {
    rt.spend(8)
    const item = items[at]!
    const itemKey = key(item)
    if (compare(rt, order, itemKey, bestKey)) [best, bestKey] = [item, itemKey]
  }
  return best
}

function sorting(rt: Runtime, value: Value, [by, reverse, caseSensitive]: readonly (Value | undefined)[]): Value {
  const at = by === undefined ? 'key' : stringOf(by)
  if (at !== 'key' && at !== 'value') return fail('FilterArgumentError', 'You can only sort by either "key" or "value"')
  if (isUndefined(value)) return value.raise(rt)
  if (typeof value !== 'object' || value?.kind !== 'dict')
    return fail('AttributeError', `'${typeName(value)}' object has no attribute 'items'`)
  const pairs = pairsOf(value).map((pair) => tuple(pair))
  const key = (pair: Value): Value => {
    const part = itemAt(rt, pair, at === 'key' ? 0 : 1)!
    return flag(rt, caseSensitive) ? part : ignoreCase(rt, part)
  }
  return list(sortedBy(rt, pairs, key, flag(rt, reverse)))
}

const batches = (rt: Runtime, value: Value, count: Value, fill: Value): Value =>
  generator(rt, value, function* () {
    const size = floatOf(count) ?? NaN
    let batch: Value[] = []
    for (const item of valuesOf(rt, value)) {
      if (batch.length === size) {
        rt.spend(20)
        rt.hold(100)
        yield list(batch)
        batch = []
      }
      rt.spend(4)
      rt.hold(16)
      batch.push(item)
    }
    if (batch.length === 0) return
    const missing = fill === null ? 0 : Math.max(0, asInt(count) - batch.length)
    chargeEntries(rt, missing)
    yield list([...batch, ...Array.from({ length: missing }, () => fill)])
  })

const slices = (rt: Runtime, value: Value, number: Value, fill: Value): Value =>
  generator(rt, value, function* () {
    const items = collect(rt, value)
    const count = asInt(number)
    if (count === 0) fail('ZeroDivisionError', 'integer division or modulo by zero')
    const size = Math.floor(items.length / count)
    const extra = items.length % count
    for (let [at, start] = [0, 0]; at < count; at++) {
      const end = start + size + (at < extra ? 1 : 0)
      chargeEntries(rt, end - start + 1)
      rt.spend(20)
      const part = items.slice(start, end)
      yield list(fill !== null && at >= extra ? [...part, fill] : part)
      start = end
    }
  })

function reverse(rt: Runtime, value: Value): Value {
  const text = stringOf(value)
  if (text !== undefined) {
    const turned = [...pointsOf(rt, text)].reverse().join('')
    rt.spend(16 * text.length)
    rt.hold(16 * text.length)
    return typeof value === 'string' ? turned : markup(turned)
  }
  const items = reversedItems(rt, value)
  if (items !== undefined) {
    let at = 0
    return iterator(rt, 'reversed', value, () => (at < items.length ? items[at++]! : END))
  }
  if (kindOf(value) !== 'iterator')
    return fail('FilterArgumentError', `expected an iterable, got a value of type ${typeName(value)}`)
  return list([...collect(rt, value)].reverse())
}

function lastOf(rt: Runtime, value: Value): Value {
  const items = reversedItems(rt, value) ?? fail('TypeError', `'${typeName(value)}' object is not reversible`)
  return items[0] ?? (items.length > 0 ? null : undefinedBecause('No last item, sequence was empty.'))
}

function randomOf(rt: Runtime, value: Value): Value {
  const size = sizeOf(rt, value) ?? fail('TypeError', `object of type '${typeName(value)}' has no len()`)
  if (size === 0) return undefinedBecause('No random item, sequence was empty.')
  if (!['list', 'tuple', 'range', 'markup', undefined].includes(kindOf(value)))
    return fail('TypeError', `'${typeName(value)}' object is not subscriptable`)
  return itemAt(rt, value, Math.floor(Math.random() * size))!
}

function sum(rt: Runtime, value: Value, attribute: Value | undefined, start: Value): Value {
  if (stringOf(start) !== undefined) fail('TypeError', "sum() can't sum strings [use ''.join(seq) instead]")
  const get = attribute === undefined || attribute === null ? (item: Value) => item : getter(rt, attribute)
  let total = start
  for (const item of collect(rt, value)) {
    rt.spend(4)
    total = binary(rt, '+', total, get(item))
  }
  return total
}

const length = filter(
  '',
  (rt, value) => sizeOf(rt, value) ?? fail('TypeError', `object of type '${typeName(value)}' has no len()`),
)
const fallback = filter('default_value? boolean?', (rt, value, [other, boolean]) =>
  isUndefined(value) || (flag(rt, boolean) && !isTrue(rt, value)) ? (other === undefined ? '' : other) : value,
)

/** Filters of lists, dicts and other containers. */
export const listFilters: Filters = {
  attr: filter('name', (rt, value, [name]) => {
    const text = stringOf(name!) ?? fail('TypeError', 'attribute name must be a string')
    charge(rt, text)
    return attributeOf(rt, value, text) === undefined ? undefinedMember(value, text) : getAttribute(rt, value, text)
  }),
  batch: filter('linecount fill_with?', (rt, value, [size, fill]) => batches(rt, value, size!, fill ?? null)),
  count: length,
  d: fallback,
  default: fallback,
  dictsort: filter('case_sensitive? by? reverse?', (rt, value, [caseSensitive, by, isReverse]) =>
    sorting(rt, value, [by, isReverse, caseSensitive]),
  ),
  first: filter('', (rt, value) => {
    const item = iterate(rt, value)()
    return item === END ? undefinedBecause('No first item, sequence was empty.') : item
  }),
  items: filter('', (rt, value) =>
    generator(rt, value, function* () {
      if (isUndefined(value)) return
      if (typeof value !== 'object' || value?.kind !== 'dict')
        return fail('TypeError', 'Can only get item pairs from a mapping.')
      yield* valuesOf(rt, { kind: 'view', of: 'items', dict: value })
    }),
  ),
  join: filter('d? attribute?', (rt, value, [separator = '', attribute]) => joined(rt, value, separator, attribute)),
  last: filter('', lastOf),
  length,
  list: filter('', listOf),
  max: filter('case_sensitive? attribute?', (rt, value, args) => extreme(rt, value, args, '>')),
  min: filter('case_sensitive? attribute?', (rt, value, args) => extreme(rt, value, args, '<')),
  random: filter('', randomOf),
  reverse: filter('', reverse),
  slice: filter('slices fill_with?', (rt, value, [count, fill]) => slices(rt, value, count!, fill ?? null)),
  sort: filter('reverse? case_sensitive? attribute?', (rt, value, [isReverse, caseSensitive, attribute]) =>
    list(sortedBy(rt, collect(rt, value), multiGetter(rt, attribute, flag(rt, caseSensitive)), flag(rt, isReverse))),
  ),
  sum: filter('attribute? start?', (rt, value, [attribute, start = 0]) => sum(rt, value, attribute, start)),
}
