import { fail } from '../failure.js'
import { type Runtime, chargeEntries } from '../runtime.js'
import { pointsOf } from '../text/points.js'
import { namesOf, pairsOf } from './dict.js'
import {
  END,
  type Iterator,
  type Pull,
  type Range,
  type Value,
  type View,
  isUndefined,
  list,
  stringOf,
  tuple,
  typeName,
} from './value.js'

/** Maximum length of a chain of iterators that read each other. */
const MAXIMUM_CHAIN = 200

/** The number at an index of a range. */
export const rangeItem = ({ start, step }: Range, at: number): number => start + at * step

function itemsOfView(rt: Runtime, { of, dict }: View): readonly Value[] {
  chargeEntries(rt, 4 * dict.map.size)
  if (of === 'keys') return namesOf(dict)
  return of === 'values' ? [...dict.map.values()] : pairsOf(dict).map((pair) => tuple(pair))
}

/** Items of a value that are available without computation; undefined for other values. */
export function storedItems(rt: Runtime, value: Value): readonly Value[] | undefined {
  const text = stringOf(value)
  if (text !== undefined) return pointsOf(rt, text)
  if (value === null || typeof value !== 'object') return undefined
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items
    case 'dict':
      chargeEntries(rt, value.map.size)
      return namesOf(value)
    case 'view':
      return itemsOfView(rt, value)
    case 'range':
      chargeEntries(rt, value.length)
      return Array.from({ length: value.length }, (_, at) => rangeItem(value, at))
    case 'undefined':
      return []
    default:
      return undefined
  }
}

/** True for iterable values. */
export const isIterable = (value: Value): boolean => {
  if (value === null || typeof value !== 'object') return typeof value === 'string'
  return value.kind === 'host' ? value.pull !== undefined : !['float', 'namespace'].includes(value.kind)
}

const pullFrom = (items: readonly Value[]): Pull => {
  let at = 0
  return () => (at < items.length ? items[at++]! : END)
}

/**
 * Starts iterating over a value: Python's `iter`.
 * @throws Python's TypeError for values that are not iterable
 */
export function iterate(rt: Runtime, value: Value): Pull {
  const items = storedItems(rt, value)
  if (items !== undefined) return pullFrom(items)
  if (typeof value === 'object' && value !== null) {
    if (value.kind === 'iterator') return value.pull
    if (value.kind === 'host' && value.pull !== undefined) return value.pull
  }
  return fail('TypeError', `'${typeName(value)}' object is not iterable`)
}

/** Collects all items of an iterable: Python's `list`. */
export function collect(rt: Runtime, value: Value): readonly Value[] {
  const items = storedItems(rt, value)
  if (items !== undefined) return items
  const pull = iterate(rt, value)
  const found: Value[] = []
  for (let item = pull(); item !== END; item = pull()) {
    rt.spend(4)
    rt.hold(16)
    found.push(item)
  }
  return found
}

/**
 * Creates an iterator over another value.
 * @throws Python's RecursionError if too many iterators read each other
 */
export function iterator(rt: Runtime, type: string, source: Value | undefined, pull: Pull): Iterator {
  const depth = 1 + (typeof source === 'object' && source !== null && source.kind === 'iterator' ? source.depth : 0)
  if (depth > MAXIMUM_CHAIN) fail('RecursionError', `more than ${MAXIMUM_CHAIN} filters are chained`)
  rt.spend(60)
  rt.hold(1000)
  return { kind: 'iterator', type, pull, depth }
}

/** Creates a lazy generator over another value. */
export function generator(rt: Runtime, source: Value, make: () => Generator<Value, void>): Iterator {
  const values = make()
  return iterator(rt, 'generator', source, () => {
    const { value, done } = values.next()
    return done === true ? END : (value as Value)
  })
}

/** Yields the items of an iterable. */
export function* valuesOf(rt: Runtime, value: Value): Generator<Value, void> {
  const pull = iterate(rt, value)
  for (let item = pull(); item !== END; item = pull()) {
    rt.spend(20)
    yield item
  }
}

/** Items of an iterable in reverse order: Python's `reversed`; undefined for values that are not reversible. */
export function reversedItems(rt: Runtime, value: Value): readonly Value[] | undefined {
  const kind = typeof value === 'object' && value !== null ? value.kind : 'text'
  if (isUndefined(value)) return []
  if (!['list', 'tuple', 'dict', 'view', 'range', 'text', 'markup'].includes(kind)) return undefined
  const items = storedItems(rt, value)
  if (items === undefined) return undefined
  chargeEntries(rt, items.length)
  return [...items].reverse()
}

/** Converts an iterable to a list. */
export const listOf = (rt: Runtime, value: Value): Value => list(collect(rt, value))
