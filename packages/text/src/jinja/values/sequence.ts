import { fail } from '../failure.js'
import { type Runtime, chargeEntries } from '../runtime.js'
import { isWide, lengthOf, pointsOf, positionsIn } from '../text/points.js'
import { includes } from '../text/search.js'
import { keyOf } from './dict.js'
import { equals, hasPair, isSame } from './equality.js'
import { iterate, rangeItem } from './iterate.js'
import {
  END,
  type List,
  type Range,
  type Tuple,
  type Value,
  type View,
  intOf,
  isUndefined,
  kindOf,
  markup,
  stringOf,
  typeName,
} from './value.js'

/** Python's `len`; undefined for values without a length. */
export function sizeOf(rt: Runtime, value: Value): number | undefined {
  const text = stringOf(value)
  if (text !== undefined) return lengthOf(rt, text)
  if (value === null || typeof value !== 'object') return undefined
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.length
    case 'dict':
      return value.map.size
    case 'view':
      return value.dict.map.size
    case 'range':
      return value.length
    case 'undefined':
      return 0
    default:
      return value.kind === 'host' ? value.length?.(rt) : undefined
  }
}

/** Python's `bool`. */
export function isTrue(rt: Runtime, value: Value): boolean {
  if (typeof value === 'boolean') return value
  if (value === null) return false
  if (typeof value === 'number') return value !== 0
  if (typeof value === 'string') return value !== ''
  if (typeof value === 'bigint') return true
  if (value.kind === 'float') return value.value !== 0
  if (value.kind === 'markup') return value.text !== ''
  return sizeOf(rt, value) !== 0
}

/** The item at an index, counted from the end if it is negative; undefined if it is out of range. */
export function itemAt(rt: Runtime, value: Value, index: number): Value | undefined {
  const text = stringOf(value)
  if (text !== undefined) {
    const character = characterAt(rt, text, index)
    return character === undefined || typeof value === 'string' ? character : markup(character)
  }
  const kind = kindOf(value)
  if (kind === 'range') {
    const range = value as Range
    const at = index < 0 ? index + range.length : index
    return at >= 0 && at < range.length ? rangeItem(range, at) : undefined
  }
  const { items } = value as List | Tuple
  return items[index < 0 ? index + items.length : index]
}

function characterAt(rt: Runtime, text: string, index: number): string | undefined {
  const { length, toUnits } = positionsIn(rt, text)
  const at = index < 0 ? index + length : index
  if (!(at >= 0 && at < length)) return undefined
  const point = text.codePointAt(toUnits(at))!
  return String.fromCodePoint(point)
}

/** Bounds of a slice, as Python computes them for a sequence length. */
export interface Slice {
  readonly start: number
  readonly stop: number
  readonly step: number
  readonly count: number
}

function bound(value: Value): number | undefined {
  if (value === null) return undefined
  const int = intOf(value)
  return int === undefined
    ? fail('TypeError', 'slice indices must be integers or None or have an __index__ method')
    : Number(int)
}

/** Python's `slice.indices`. */
export function sliceOf(length: number, from: Value, to: Value, by: Value): Slice {
  const step = bound(by) ?? 1
  if (step === 0) fail('ValueError', 'slice step cannot be zero')
  const [minimum, maximum] = step > 0 ? [0, length] : [-1, length - 1]
  const within = (value: number): number => Math.min(maximum, Math.max(minimum, value < 0 ? value + length : value))
  const start = within(bound(from) ?? (step > 0 ? 0 : length - 1))
  const end = bound(to)
  const stop = end === undefined ? (step > 0 ? length : -1) : within(end)
  return { start, stop, step, count: Math.max(0, Math.ceil((stop - start) / step)) }
}

const picked = <T>(items: ArrayLike<T>, { start, step, count }: Slice): readonly T[] =>
  Array.from({ length: count }, (_, at) => items[start + at * step]!)

function sliceText(rt: Runtime, text: string, bounds: readonly [Value, Value, Value]): string {
  const { length, toUnits } = positionsIn(rt, text)
  const slice = sliceOf(length, ...bounds)
  if (slice.step === 1)
    return slice.count === 0 ? '' : text.slice(toUnits(slice.start), toUnits(slice.start + slice.count))
  rt.spend(12 * slice.count)
  rt.hold(20 * slice.count)
  return picked(isWide(text) ? pointsOf(rt, text) : text, slice).join('')
}

/**
 * Python's `value[from:to:by]`.
 * @throws Python's TypeError for values that cannot be sliced
 */
export function slice(rt: Runtime, value: Value, from: Value, to: Value, by: Value): Value {
  rt.spend(20)
  const text = stringOf(value)
  if (text !== undefined) {
    const part = sliceText(rt, text, [from, to, by])
    return typeof value === 'string' ? part : markup(part)
  }
  const kind = kindOf(value)
  if (kind === 'list' || kind === 'tuple') {
    const { items } = value as List | Tuple
    const bounds = sliceOf(items.length, from, to, by)
    chargeEntries(rt, bounds.count)
    return { kind, items: picked(items, bounds) }
  }
  if (kind === 'range') {
    const range = value as Range
    const { start, stop, step, count } = sliceOf(range.length, from, to, by)
    return {
      kind: 'range',
      start: rangeItem(range, start),
      stop: rangeItem(range, stop),
      step: range.step * step,
      length: count,
    }
  }
  if (isUndefined(value)) return value.raise(rt)
  return kind === 'dict'
    ? fail('TypeError', "unhashable type: 'slice'")
    : fail('TypeError', `'${typeName(value)}' object is not subscriptable`)
}

function isAmong(rt: Runtime, items: readonly Value[], value: Value): boolean {
  for (const item of items) {
    rt.spend(8)
    if (isSame(item, value) || equals(rt, item, value)) return true
  }
  return false
}

function isInRange({ start, step, length }: Range, value: Value): boolean {
  const number = kindOf(value) === 'float' ? (value as { readonly value: number }).value : intOf(value)
  if (number === undefined) return false
  const at = (Number(number) - start) / step
  return Number.isInteger(at) && at >= 0 && at < length
}

function isInView(rt: Runtime, view: View, value: Value): boolean {
  if (view.of === 'keys') return view.dict.map.has(keyOf(rt, value))
  if (view.of === 'values') {
    chargeEntries(rt, view.dict.map.size)
    return isAmong(rt, [...view.dict.map.values()], value)
  }
  return kindOf(value) === 'tuple' && hasPair(rt, view, value as Tuple)
}

function isInText(rt: Runtime, text: string, value: Value): boolean {
  const part = stringOf(value)
  if (part === undefined)
    return fail('TypeError', `'in <string>' requires string as left operand, not ${typeName(value)}`)
  return part === '' || includes(rt, text, part)
}

/**
 * Python's `value in container`.
 * @throws Python's TypeError if the container cannot contain such a value
 */
export function isIn(rt: Runtime, value: Value, container: Value): boolean {
  const text = stringOf(container)
  if (text !== undefined) return isInText(rt, text, value)
  if (container !== null && typeof container === 'object') {
    if (container.kind === 'dict') return container.map.has(keyOf(rt, value))
    if (container.kind === 'list' || container.kind === 'tuple') return isAmong(rt, container.items, value)
    if (container.kind === 'view') return isInView(rt, container, value)
    if (container.kind === 'range') return isInRange(container, value)
    if (container.kind === 'iterator' || container.kind === 'undefined' || container.kind === 'host') {
      const pull = iterate(rt, container)
      for (let item = pull(); item !== END; item = pull()) if (isAmong(rt, [item], value)) return true
      return false
    }
  }
  return fail('TypeError', `argument of type '${typeName(container)}' is not iterable`)
}
