import type { Budget } from '@attune/core'
import { ANY } from './character-set.js'
import { FORMATS } from './json-formats.js'
import { jsonString } from './json-text.js'
import { containing, wholePattern } from './parse-pattern.js'
import { type Parts, memoized } from './parts.js'
import { NOTHING, type Pattern, literal, repeat, set } from './pattern.js'
import { countsIn } from './facts.js'
import type { Fact } from './terms.js'
import { type Condition, intersectTexts } from './text-intersection.js'

function conditionOf(fact: Fact<'string'>, budget: Budget): Condition | undefined {
  if (fact.name === 'pattern' || fact.name === 'notPattern')
    return { pattern: containing(fact.value, budget), negated: fact.name === 'notPattern' }
  if (fact.name === 'format') return { pattern: wholePattern(FORMATS[fact.value]!), negated: false }
  return fact.name === 'not' ? { pattern: literal(fact.value), negated: true } : undefined
}

/** Pattern of the unescaped texts for which all facts hold. */
export function textsOf(facts: readonly Fact<'string'>[], parts: Pick<Parts, 'texts'> & { readonly budget: Budget }) {
  const { budget } = parts
  const [min, max] = countsIn(facts, 'minLength', 'maxLength')
  const named = new Map(
    facts.filter((fact) => typeof fact.value === 'string').map((fact) => [`${fact.name} ${fact.value}`, fact]),
  )
  for (const name of named.keys()) {
    budget.spend(200 * name.length)
    budget.hold(400 * name.length)
  }
  return memoized(parts, `texts ${min} ${max} ${[...named.keys()].sort().join('\n')}`, () => {
    if (min > max) return NOTHING
    if (named.size === 0) return repeat(set(ANY), min, max)
    const conditions = [...named.values()].flatMap((fact) => conditionOf(fact, budget) ?? [])
    const [only] = conditions
    if (conditions.length === 1 && min === 0 && max === Infinity && only?.negated === false) return only.pattern
    return intersectTexts(conditions, { min, max }, budget)
  })
}

/** Pattern of the strings for which all facts hold. */
export function stringValues(facts: readonly Fact<'string'>[], parts: Parts): Pattern {
  for (const { name, at } of facts)
    if (name === 'format') parts.form.narrowed.note('format', at, 'rare forms, such as leap seconds, are not generated')
  return jsonString(textsOf(facts, parts), parts.spelled)
}
