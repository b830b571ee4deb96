import { type Signature, signature } from '../arguments.js'
import type { Runtime } from '../runtime.js'
import { isLower, isUpper } from '../text/letter-case.js'
import { pointsOf } from '../text/points.js'
import { binary } from '../values/arithmetic.js'
import { keyOf } from '../values/dict.js'
import { equals } from '../values/equality.js'
import { isIterable } from '../values/iterate.js'
import { type Order, compare } from '../values/ordering.js'
import { isIn, sizeOf } from '../values/sequence.js'
import { textOf } from '../values/text-of.js'
import { type Value, intOf, isUndefined, kindOf, stringOf } from '../values/value.js'

/** A test: `value is name(arguments)`. */
export interface Test {
  readonly takes: Signature
  readonly run: (rt: Runtime, value: Value, other: Value) => boolean
}

const alone = (run: (rt: Runtime, value: Value) => boolean): Test => ({ takes: signature(''), run })
const beside = (name: string, run: Test['run']): Test => ({ takes: signature(name), run })

const order = (operator: Order): Test => beside('b /', (rt, value, other) => compare(rt, operator, value, other))

const equal = beside('b /', equals)
const unequal = beside('b /', (rt, value, other) => !equals(rt, value, other))

const remainderIs =
  (wanted: number) =>
  (rt: Runtime, value: Value, divisor: Value): boolean =>
    equals(rt, binary(rt, '%', value, divisor), wanted)

const lettersAre =
  (test: (points: readonly string[]) => boolean) =>
  (rt: Runtime, value: Value): boolean => {
    const points = pointsOf(rt, textOf(rt, value))
    rt.spend(30 * points.length)
    return test(points)
  }

function isSequence(rt: Runtime, value: Value): boolean {
  const kind = kindOf(value)
  if (kind === 'undefined') return true
  if (kind === 'view' || kind === 'thing' || kind === 'namespace') return false
  return sizeOf(rt, value) !== undefined
}

function isSameObject(value: Value, other: Value): boolean {
  if (kindOf(value) === 'undefined') return value === other
  return value === other || (Number.isNaN(value) && Number.isNaN(other))
}

/** A test that is true for these names. */
export const nameTest = (isKnown: (name: string) => boolean): Test =>
  alone((rt, value) => {
    keyOf(rt, value)
    const name = stringOf(value)
    return name !== undefined && isKnown(name)
  })

/** Tests by name; those of {@link nameTest} are not among them. */
export const tests: Readonly<Record<string, Test>> = {
  odd: alone((rt, value) => remainderIs(1)(rt, value, 2)),
  even: alone((rt, value) => remainderIs(0)(rt, value, 2)),
  divisibleby: beside('num', remainderIs(0)),
  defined: alone((_, value) => !isUndefined(value)),
  undefined: alone((_, value) => isUndefined(value)),
  none: alone((_, value) => value === null),
  boolean: alone((_, value) => typeof value === 'boolean'),
  false: alone((_, value) => value === false),
  true: alone((_, value) => value === true),
  integer: alone((_, value) => typeof value === 'number' || typeof value === 'bigint'),
  float: alone((_, value) => kindOf(value) === 'float'),
  lower: alone(lettersAre(isLower)),
  upper: alone(lettersAre(isUpper)),
  string: alone((_, value) => stringOf(value) !== undefined),
  mapping: alone((_, value) => kindOf(value) === 'dict'),
  number: alone((_, value) => intOf(value) !== undefined || kindOf(value) === 'float'),
  sequence: alone(isSequence),
  iterable: alone((_, value) => isIterable(value)),
  callable: alone((_, value) => {
    const kind = kindOf(value)
    return kind === 'undefined' || (kind === 'thing' && (value as { readonly call?: unknown }).call !== undefined)
  }),
  sameas: beside('other', (_, value, other) => isSameObject(value, other)),
  escaped: alone((_, value) => kindOf(value) === 'markup'),
  in: beside('seq', (rt, value, other) => isIn(rt, value, other)),
  '==': equal,
  eq: equal,
  equalto: equal,
  '!=': unequal,
  ne: unequal,
  '>': order('>'),
  gt: order('>'),
  greaterthan: order('>'),
  '>=': order('>='),
  ge: order('>='),
  '<': order('<'),
  lt: order('<'),
  lessthan: order('<'),
  '<=': order('<='),
  le: order('<='),
}
