import type { Parts } from './parts.js'
import { decimals, numberLimits } from './json-decimals.js'
import { commonMultiple, multiples } from './json-multiples.js'
import { integers } from './json-numbers.js'
import { memoized } from './parts.js'
import { wholePattern } from './parse-pattern.js'
import type { Pattern } from './pattern.js'
import type { Fact } from './terms.js'
import { intersectTexts } from './text-intersection.js'

/** Numbers that are not integers, with few enough digits that rounding does not make them integers. */
const FRACTION = '-?(?:0|[1-9]\\d{0,5})\\.\\d{0,8}[1-9]'
/** Decimals whose multiples are exact in double precision. */
const EXACT = '-?(?:0|[1-9]\\d{0,13})(?:\\.\\d{1,4})?'

/** Pattern of the numbers for which all facts hold. */
export function numberValues(facts: readonly Fact<'number'>[], parts: Parts): Pattern {
  const { budget, form } = parts
  const limits = numberLimits(facts)
  const { min, max, above, below } = limits
  const at = facts[0]?.at ?? '#'
  const has = (name: string): boolean => facts.some((fact) => fact.name === name)
  const factor = facts.reduce<number | undefined>((found, fact) => {
    if (fact.name !== 'multipleOf') return found
    return found === undefined ? fact.value : commonMultiple(found, fact.value, fact.at)
  }, undefined)
  // Bounds with many digits take up to some hundred patterns.
  budget.spend(25_000)
  budget.hold(25_000)
  const name = ['number', has('integer'), has('fraction'), min, max, above, below, factor].join(' ')
  const [bounded, whole] = [min > -Infinity || max < Infinity, has('integer')]
  if (!whole && bounded)
    form.narrowed.note('minimum', at, 'numbers have at most 15 digits near a bound, and no exponent between two')
  else if (!bounded)
    form.narrowed.note('type', at, whole ? 'integers have at most 21 digits' : 'numbers are below 1e308')
  return memoized(parts, name, () => {
    const within = has('integer')
      ? integers(above ? Math.floor(min) + 1 : min, below ? Math.ceil(max) - 1 : max)
      : decimals(limits, at, budget)
    const further = [
      ...(has('fraction') ? [wholePattern(FRACTION)] : []),
      ...(factor === undefined ? [] : [multiples(factor, at), wholePattern(EXACT)]),
    ]
    if (further.length === 0) return within
    const conditions = [within, ...further].map((pattern) => ({ pattern, negated: false }))
    return intersectTexts(conditions, { min: 0, max: Infinity }, budget)
  })
}
