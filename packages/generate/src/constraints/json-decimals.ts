import type { Budget } from '@attune/core'
import { integers, numbers } from './json-numbers.js'
import { wholePattern } from './parse-pattern.js'
import { EMPTY, NOTHING, type Pattern, choice, choiceOf, literal, repeat, sequence, set } from './pattern.js'
import { badSchema } from './schema.js'
import type { Fact } from './terms.js'
import { intersectTexts } from './text-intersection.js'

/** Limits of a number. */
export interface NumberLimits {
  readonly min: number
  readonly max: number
  /** True if `min` itself is excluded. */
  readonly above: boolean
  /** True if `max` itself is excluded. */
  readonly below: boolean
}

/** Intersection of the bounds among facts. */
export function numberLimits(facts: readonly Fact<'number'>[]): NumberLimits {
  let [min, max, above, below] = [-Infinity, Infinity, false, false]
  for (const fact of facts) {
    if (fact.name === 'minimum' && fact.value > min) [min, above] = [fact.value, false]
    if (fact.name === 'maximum' && fact.value < max) [max, below] = [fact.value, false]
    if (fact.name === 'above' && fact.value >= min) [min, above] = [fact.value, true]
    if (fact.name === 'below' && fact.value <= max) [max, below] = [fact.value, true]
  }
  return { min, max, above, below }
}

/** Decimals of this many significant digits have distinct double-precision values, in the same order. */
const PRECISION = 15
const DIGIT = set([[0x30, 0x39]])
const digitsBetween = (from: number, to: number): Pattern => (from > to ? NOTHING : set([[0x30 + from, 0x30 + to]]))

/** Decimal expansion of a bound. */
const expanded = (value: number): readonly [integer: string, fraction: string] => {
  const [integer = '0', fraction = ''] = value.toFixed(20).split('.')
  const shortest = String(value)
  const exact = /e/.test(shortest) ? fraction : (shortest.split('.')[1] ?? '')
  return [integer, exact.replace(/0+$/, '')]
}

/** Fractions of up to `room` digits that are at least (`sign` 1) or at most (−1) a fraction; `open` excludes equality. */
function fractions(bound: string, room: number, sign: 1 | -1, open: boolean): Pattern {
  const free = (most: number): Pattern => (most < 0 ? NOTHING : repeat(DIGIT, 0, most))
  const from = (at: number): Pattern => {
    const rest = bound.slice(at)
    const left = room - at
    if (rest === '') {
      // Equal so far: any digits make it larger or, all of them zero, keep it equal.
      const zeros = repeat(literal('0'), 0, left)
      if (sign === -1) return open ? NOTHING : zeros
      return open ? sequence(zeros, digitsBetween(1, 9), free(left - 1)) : free(left)
    }
    const digit = Number(rest[0])
    const [low, high] = sign === 1 ? [digit + 1, 9] : [0, digit - 1]
    const others = left <= 0 ? NOTHING : sequence(digitsBetween(low, high), free(left - 1))
    const same = left <= 0 ? NOTHING : sequence(literal(rest[0]!), from(at + 1))
    // The digits that are left out are zeros, which are less than the rest of the bound.
    return sign === -1 ? choice(EMPTY, others, same) : choice(others, same)
  }
  return from(0)
}

/** An optional decimal point and the fraction: `fraction` includes the empty one. */
const withPoint = (fraction: Pattern, budget: Budget): Pattern => {
  const filled = intersectTexts(
    [
      { pattern: fraction, negated: false },
      { pattern: EMPTY, negated: true },
    ],
    { min: 0, max: Infinity },
    budget,
  )
  const empty = intersectTexts(
    [
      { pattern: fraction, negated: false },
      { pattern: EMPTY, negated: false },
    ],
    { min: 0, max: Infinity },
    budget,
  )
  return choice(empty === NOTHING ? NOTHING : EMPTY, sequence(literal('.'), filled))
}

/** Non-negative decimals within limits, which are non-negative too. */
function positives({ min, max, above, below }: NumberLimits, budget: Budget): Pattern {
  const [lowInteger, lowFraction] = expanded(min)
  const [highInteger, highFraction] = max < Infinity ? expanded(max) : ['', '']
  const room = Math.max(0, PRECISION - (highInteger || lowInteger).length - (highInteger === '' ? 1 : 0))
  const any = withPoint(repeat(DIGIT, 0, room), budget)
  const low = fractions(lowFraction, room, 1, above)
  const high = fractions(highFraction, room, -1, below)
  if (highInteger === lowInteger) {
    const both = intersectTexts(
      [low, high].map((pattern) => ({ pattern, negated: false })),
      { min: 0, max: Infinity },
      budget,
    )
    return sequence(literal(lowInteger), withPoint(both, budget))
  }
  const first = sequence(literal(lowInteger), withPoint(low, budget))
  if (highInteger === '') {
    // From the next power of ten on, rounding cannot reach the bound.
    const power = lowInteger.length
    const near = sequence(integers(Number(lowInteger) + 1, 10 ** power - 1), any)
    const large = wholePattern(`[1-9]\\d{${power},20}(?:\\.\\d{1,25})?`)
    const exponents = integers(power, 307)
    const spelled = sequence(wholePattern('[1-9](?:\\.\\d{1,20})?[eE]\\+?'), exponents)
    return choice(first, near, large, spelled)
  }
  const middle = sequence(integers(Number(lowInteger) + 1, Number(highInteger) - 1), any)
  const last = sequence(literal(highInteger), withPoint(high, budget))
  return choice(first, middle, last)
}

/** Largest magnitude of a finite bound whose decimals are generated. */
const MAX_BOUND = 1e14

/**
 * Decimals within limits, without exponents between two bounds. They have at most 15 significant digits near a bound, so that
 * rounding to double precision does not cross it.
 */
export function decimals(limits: NumberLimits, at: string, budget: Budget): Pattern {
  const { min, max, above, below } = limits
  if (min > max || (min === max && (above || below))) return NOTHING
  if (min === -Infinity && max === Infinity) return numbers(true)
  if (min === 0 && max === Infinity && !above) return numbers(false)
  for (const bound of [min, max])
    if (
      Math.abs(bound) < Infinity &&
      (Math.abs(bound) > MAX_BOUND || expanded(Math.abs(bound)).join('').replace(/^0/, '').length > PRECISION)
    )
      throw badSchema(
        `bounds of a number may have at most ${PRECISION} digits, got ${bound}`,
        at,
        'Round the bound, or make the number an integer.',
      )
  const parts: Pattern[] = []
  if (max >= 0) parts.push(positives({ min: Math.max(min, 0), max, above: min >= 0 && above, below }, budget))
  if (min < 0) {
    // −0 equals 0, so a negative part up to zero excludes nothing but an open bound.
    const own = positives({ min: Math.max(-max, 0), max: -min, above: max <= 0 && below, below: above }, budget)
    parts.push(sequence(literal('-'), own))
  }
  return choiceOf(parts)
}
