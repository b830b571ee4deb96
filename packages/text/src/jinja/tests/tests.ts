import { type Signature, bind, signature } from '../arguments.js'
import { fail } from '../failure.js'
import { isFilter } from '../filters/filters.js'
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
import { type Arguments, type Value, intOf, isUndefined, kindOf, stringOf } from '../values/value.js'

/** A test: `value is name(arguments)`. */
interface Test {
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

const isKnown =
  (names: (name: string) => boolean) =>
  (rt: Runtime, value: Value): boolean => {
    keyOf(rt, value)
    const name = stringOf(value)
    return name !== undefined && names(name)
  }

const TESTS: Readonly<Record<string, Test>> = {
  odd: alone((rt, value) => remainderIs(1)(rt, value, 2)),
  even: alone((rt, value) => remainderIs(0)(rt, value, 2)),
  divisibleby: beside('num', remainderIs(0)),
  defined: alone((_, value) => !isUndefined(value)),
  undefined: alone((_, value) => isUndefined(value)),
  filter: alone(isKnown((name) => isFilter(name))),
  test: alone(isKnown((name) => isTest(name))),
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

/** True if there is a test of this name. */
export const isTest = (name: string): boolean => Object.hasOwn(TESTS, name)

/**
 * Applies the test of a name, which there is, to a value.
 * @throws what Python throws for arguments that the test does not take
 */
export function test(rt: Runtime, name: string, value: Value, given: Arguments): boolean {
  const { takes, run } = TESTS[name] ?? fail('TemplateRuntimeError', `No test named '${name}'.`)
  const [other] = bind(name, takes, given)
  rt.spend(12)
  return run(rt, value, other ?? null)
}
