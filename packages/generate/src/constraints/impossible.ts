import type { Conjunct } from './conjunct.js'
import { countsIn, memberSchemas } from './facts.js'
import { numberLimits } from './json-decimals.js'
import type { NormalForm } from './normal-form-types.js'
import { isSelfReference } from './self-reference.js'
import type { Fact, Term, Terms } from './terms.js'

const MAX_DEPTH = 6

/** Schemas of a member or of an item, from all facts. */
export const memberOf = (facts: readonly Fact<'object'>[], name: string, form: NormalForm): Conjunct[] =>
  facts.flatMap((fact) => (fact.name === 'members' ? memberSchemas(fact.value, name, form.tests.matches) : []))

/** Schemas of an item, from all facts. */
export const itemOf = (facts: readonly Fact<'array'>[], index: number): Conjunct[] =>
  facts.flatMap((fact) => {
    const own = fact.name === 'items' ? (fact.value.prefix[index] ?? fact.value.rest) : undefined
    return own === undefined ? [] : [own]
  })

function objectImpossible(facts: readonly Fact<'object'>[], form: NormalForm, depth: number): boolean {
  const required = new Set(facts.flatMap((fact) => (fact.name === 'required' ? [fact.value] : [])))
  const [min, max] = countsIn(facts, 'minProperties', 'maxProperties')
  if (min > max || required.size > max) return true
  const layers = facts.filter(({ name }) => name === 'members')
  form.budget.spend(60 * required.size * layers.length)
  for (const name of required)
    if (isImpossible(form.termsOf(memberOf(layers, name, form)), form, depth + 1)) return true
  return false
}

function arrayImpossible(facts: readonly Fact<'array'>[], form: NormalForm, depth: number): boolean {
  const [min, max] = countsIn(facts, 'minItems', 'maxItems')
  if (min > max) return true
  for (let i = 0; i < Math.min(min, 4); i++)
    if (isImpossible(form.termsOf(itemOf(facts, i)), form, depth + 1)) return true
  return false
}

function proveImpossible(term: Term, form: NormalForm, depth: number): boolean {
  form.budget.spend(200)
  if (term.kind === 'values') return term.values.length === 0
  if (term.kind === 'object') return objectImpossible(term.facts, form, depth)
  if (term.kind === 'array') return arrayImpossible(term.facts, form, depth)
  if (term.kind === 'string') {
    const [min, max] = countsIn(term.facts, 'minLength', 'maxLength')
    return min > max
  }
  const { min, max, above, below } = numberLimits(term.facts)
  return min > max || (min === max && (above || below))
}

/** A proof holds at any depth; a failed attempt, only for attempts that start as deep. */
function termImpossible(term: Term, form: NormalForm, depth: number): boolean {
  const known = form.impossible.get(term)
  if (known !== undefined && (known.isProved || known.depth <= depth)) {
    if (known.isPartial) form.omissions.add()
    return known.isProved
  }
  const omitted = form.omissions.count()
  let isProved = false
  try {
    isProved = proveImpossible(term, form, depth)
  } catch (error) {
    // A schema whose normal form is being made proves nothing yet.
    if (!isSelfReference(error)) throw error
    return false
  }
  form.impossible.set(term, { isProved, depth, isPartial: form.omissions.count() > omitted })
  return isProved
}

/** True if it is proved that no value satisfies a normal form; false does not prove that one does. */
export const isImpossible = (terms: Terms, form: NormalForm, depth = 0): boolean =>
  depth <= MAX_DEPTH && terms.every((term) => termImpossible(term, form, depth))
