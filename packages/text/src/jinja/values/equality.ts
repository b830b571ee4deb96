import { type Runtime, charge } from '../runtime.js'
import { keyOf } from './dict.js'
import { checkNesting } from './text-of.js'
import { type Dict, type Range, type Tuple, type Value, type View, intOf, kindOf, stringOf } from './value.js'

/** The number in an int, bool or float. */
const numberOf = (value: Value): number | bigint | undefined =>
  kindOf(value) === 'float' ? (value as { readonly value: number }).value : intOf(value)

/** True if two numbers are equal; one may be a bigint. */
const sameNumber = (left: number | bigint, right: number | bigint): boolean =>
  typeof left === typeof right
    ? left === right
    : !(left < right) && !(left > right) && !Number.isNaN(Number(left)) && !Number.isNaN(Number(right))

/** Charges for comparing numbers; comparing bigints is slow. */
export function chargeComparison(rt: Runtime, left: number | bigint, right: number | bigint): void {
  if (typeof left === 'bigint' || typeof right === 'bigint') rt.spend(1500)
}

/** True if two values are the same object. List items that are the same are equal without further comparison. */
export const isSame = (left: Value, right: Value): boolean => left === right && !Number.isNaN(left)

function sameItems(rt: Runtime, left: readonly Value[], right: readonly Value[], depth: number): boolean {
  if (left.length !== right.length) return false
  for (let at = 0; at < left.length; at++) {
    rt.spend(8)
    if (!isSame(left[at]!, right[at]!) && !equals(rt, left[at]!, right[at]!, depth)) return false
  }
  return true
}

function sameDicts(rt: Runtime, left: Dict, right: Dict, depth: number): boolean {
  if (left.map.size !== right.map.size) return false
  for (const [key, value] of left.map) {
    rt.spend(12)
    const other = right.map.get(key)
    if (other === undefined || (!isSame(value, other) && !equals(rt, value, other, depth))) return false
  }
  return true
}

const sameRanges = (left: Range, right: Range): boolean =>
  left.length === right.length &&
  (left.length === 0 || (left.start === right.start && (left.length === 1 || left.step === right.step)))

function sameViews(rt: Runtime, left: View, right: View, depth: number): boolean {
  if (left.of !== right.of || left.of === 'values' || left.dict.map.size !== right.dict.map.size) return false
  rt.spend(4 * left.dict.map.size)
  if (left.of === 'items') return sameDicts(rt, left.dict, right.dict, depth)
  return [...left.dict.map.keys()].every((key) => right.dict.map.has(key))
}

/** True if an items view contains a pair. */
export function hasPair(rt: Runtime, { dict }: View, pair: Tuple): boolean {
  const [name, value] = pair.items
  if (pair.items.length !== 2) return false
  const found = dict.map.get(keyOf(rt, name!))
  return found !== undefined && (isSame(found, value!) || equals(rt, found, value!))
}

/**
 * Python's `==`.
 * @throws Python's RecursionError for values that are nested too deeply
 */
export function equals(rt: Runtime, left: Value, right: Value, depth: number = 0): boolean {
  const [a, b] = [stringOf(left), stringOf(right)]
  if (a !== undefined || b !== undefined) {
    if (a === undefined || b === undefined || a.length !== b.length) return false
    charge(rt, a)
    return a === b
  }
  const [x, y] = [numberOf(left), numberOf(right)]
  if (x !== undefined || y !== undefined) {
    if (x === undefined || y === undefined) return false
    chargeComparison(rt, x, y)
    return sameNumber(x, y)
  }
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return left === right
  if (left.kind !== right.kind) return false
  checkNesting(depth)
  switch (left.kind) {
    case 'list':
    case 'tuple':
      return sameItems(rt, left.items, (right as Tuple).items, depth + 1)
    case 'dict':
      return left === right || sameDicts(rt, left, right as Dict, depth + 1)
    case 'range':
      return sameRanges(left, right as Range)
    case 'view':
      return left === right || sameViews(rt, left, right as View, depth + 1)
    case 'undefined':
      return true
    default:
      return left === right
  }
}
