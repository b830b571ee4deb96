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

/** A Jinja test: `value is name(arguments)`. */
export interface Test {
  readonly takes: Signature
  readonly run: (rt: Runtime, value: Value, other: Value) => boolean
}

const unaryTest = (run: (rt: Runtime, value: Value) => boolean): Test => ({ takes: signature(''), run })
const binaryTest = (name: string, run: Test['run']): Test => ({ takes: signature(name), run })

const order = (operator: Order): Test => binaryTest('b /', (rt, value, other) => compare(rt, operator, value, other))

const equal = binaryTest('b /', equals)
const unequal = binaryTest('b /', (rt, value, other) => !equals(rt, value, other))

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
  if (kind === 'view' || kind === 'host' || kind === 'namespace') return false
  return sizeOf(rt, value) !== undefined
}

function isSameObject(value: Value, other: Value): boolean {
  if (kindOf(value) === 'undefined') return value === other
  return value === other || (Number.isNaN(value) && Number.isNaN(other))
}

/** Creates a test for membership in a set of names. */
export const nameTest = (isKnown: (name: string) => boolean): Test =>
  unaryTest((rt, value) => {
    keyOf(rt, value)
    const name = stringOf(value)
    return name !== undefined && isKnown(name)
  })

/** Tests by name, except those made with {@link nameTest}. */
export const tests: Readonly<Record<string, Test>> = {
  odd: unaryTest((rt, value) => remainderIs(1)(rt, value, 2)),
  even: unaryTest((rt, value) => remainderIs(0)(rt, value, 2)),
  divisibleby: binaryTest('num', remainderIs(0)),
  defined: unaryTest((_, value) => !isUndefined(value)),
  undefined: unaryTest((_, value) => isUndefined(value)),
  none: unaryTest((_, value) => value === null),
  boolean: unaryTest((_, value) => typeof value === 'boolean'),
  false: unaryTest((_, value) => value === false),
  true: unaryTest((_, value) => value === true),
  integer: unaryTest((_, value) => typeof value === 'number' || typeof value === 'bigint'),
  float: unaryTest((_, value) => kindOf(value) === 'float'),
  lower: unaryTest(lettersAre(isLower)),
  upper: unaryTest(lettersAre(isUpper)),
  string: unaryTest((_, value) => stringOf(value) !== undefined),
  mapping: unaryTest((_, value) => kindOf(value) === 'dict'),
  number: unaryTest((_, value) => intOf(value) !== undefined || kindOf(value) === 'float'),
  sequence: unaryTest(isSequence),
  iterable: unaryTest((_, value) => isIterable(value)),
  callable: unaryTest((_, value) => {
    const kind = kindOf(value)
    return kind === 'undefined' || (kind === 'host' && (value as { readonly call?: unknown }).call !== undefined)
  }),
  sameas: binaryTest('other', (_, value, other) => isSameObject(value, other)),
  escaped: unaryTest((_, value) => kindOf(value) === 'markup'),
  in: binaryTest('seq', (rt, value, other) => isIn(rt, value, other)),
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
