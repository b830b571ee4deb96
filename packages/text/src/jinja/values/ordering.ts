import { fail } from '../failure.js'
import { type Runtime, holdText } from '../runtime.js'
import { chargeComparison, equals, isSame } from './equality.js'
import { checkNesting } from './text-of.js'
import { type Tuple, type Value, intOf, kindOf, stringOf, typeName } from './value.js'

/** Python's ordering operators. */
export type Order = '<' | '<=' | '>' | '>='

const numberOf = (value: Value): number | bigint | undefined =>
  kindOf(value) === 'float' ? (value as { readonly value: number }).value : intOf(value)

function holds(order: Order, left: number | bigint, right: number | bigint): boolean {
  switch (order) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

/** Maps UTF-16 units to ranks in code point order: surrogates come last. */
const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** Compares texts by code points: negative, zero or positive if the first is less, equal or greater. */
function compareTexts(rt: Runtime, left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  let at = 0
  while (at < length && left.charCodeAt(at) === right.charCodeAt(at)) at++
  rt.spend(2 + at)
  holdText(rt, left)
  holdText(rt, right)
  return at === length ? left.length - right.length : rank(left.charCodeAt(at)) - rank(right.charCodeAt(at))
}

function compareItems(
  rt: Runtime,
  order: Order,
  left: readonly Value[],
  right: readonly Value[],
  depth: number,
): boolean {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    rt.spend(8)
    if (!isSame(left[at]!, right[at]!) && !equals(rt, left[at]!, right[at]!, depth))
      return compare(rt, order, left[at]!, right[at]!, depth)
  }
  return holds(order, left.length, right.length)
}

/**
 * Python's `<`, `<=`, `>` and `>=`.
 * @throws Python's TypeError for values without an order
 */
export function compare(rt: Runtime, order: Order, left: Value, right: Value, depth: number = 0): boolean {
  const [x, y] = [numberOf(left), numberOf(right)]
  rt.spend(4)
  if (x !== undefined && y !== undefined) {
    chargeComparison(rt, x, y)
    return holds(order, x, y)
  }
  const [a, b] = [stringOf(left), stringOf(right)]
  if (a !== undefined && b !== undefined) return holds(order, compareTexts(rt, a, b), 0)
  if (kindOf(left) === 'undefined') (left as { raise: (rt: Runtime) => never }).raise(rt)
  if (kindOf(right) === 'undefined') (right as { raise: (rt: Runtime) => never }).raise(rt)
  const kind = kindOf(left)
  if ((kind !== 'list' && kind !== 'tuple') || kindOf(right) !== kind)
    fail('TypeError', `'${order}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`)
  checkNesting(depth)
  return compareItems(rt, order, (left as Tuple).items, (right as Tuple).items, depth + 1)
}

/** True if the first value sorts before the second: Python's `<`. */
export const isBefore = (rt: Runtime, left: Value, right: Value): boolean => compare(rt, '<', left, right)
