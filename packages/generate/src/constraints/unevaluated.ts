import { type Conjunct, conjunctOf } from './conjunct.js'
import type { NormalForm } from './normal-form-types.js'
import { type Fact, type Terms, typed } from './terms.js'

const isMembers = (fact: Fact<'object'>): fact is Fact<'object'> & { readonly name: 'members' } =>
  fact.name === 'members'
const isItems = (fact: Fact<'array'>): fact is Fact<'array'> & { readonly name: 'items' } => fact.name === 'items'

/** The fact that members that no other layer evaluates satisfy `rest`; `undefined` if every member is evaluated. */
function closingMembers(facts: readonly Fact<'object'>[], rest: Conjunct): Fact<'object'> | undefined {
  const layers = facts.filter(isMembers).filter(({ value }) => value.silent !== true)
  if (layers.some(({ value }) => value.rest !== undefined)) return undefined
  const anything = conjunctOf(true, rest.at)
  const properties = new Map(
    layers.flatMap(({ value }) => [...value.properties.keys()].map((name) => [name, anything])),
  )
  const patterns = layers.flatMap(({ value }) => value.patterns.map(([source]) => [source, anything] as const))
  return { name: 'members', value: { properties, patterns, rest, named: false }, at: rest.at }
}

function closingItems(facts: readonly Fact<'array'>[], rest: Conjunct): Fact<'array'> | undefined {
  const layers = facts.filter(isItems)
  if (layers.some(({ value }) => value.rest !== undefined)) return undefined
  const length = layers.reduce((most, { value }) => Math.max(most, value.prefix.length), 0)
  const prefix = Array.from({ length }, () => conjunctOf(true, rest.at))
  return { name: 'items', value: { prefix, rest }, at: rest.at }
}

/** Applies `unevaluatedProperties` and `unevaluatedItems` of a schema to the terms of its other keywords. */
export function closeUnevaluated(
  { schema, at }: Conjunct,
  terms: Terms,
  { budget, omissions, narrowed }: NormalForm,
): Terms {
  const [members, items] = [schema['unevaluatedProperties'], schema['unevaluatedItems']]
  if (members === undefined && items === undefined) return terms
  budget.spend(100 * terms.length)
  // Other branches that are valid too may evaluate more.
  omissions.add()
  const keyword = members === undefined ? 'unevaluatedItems' : 'unevaluatedProperties'
  narrowed.note(keyword, at, 'members and items count as evaluated by one alternative at a time')
  return terms.map((term) => {
    if (term.kind === 'object' && members !== undefined) {
      const fact = closingMembers(term.facts, conjunctOf(members, `${at}/unevaluatedProperties`))
      return fact === undefined ? term : typed('object', [...term.facts, fact])
    }
    if (term.kind === 'array' && items !== undefined) {
      const fact = closingItems(term.facts, conjunctOf(items, `${at}/unevaluatedItems`))
      return fact === undefined ? term : typed('array', [...term.facts, fact])
    }
    return term
  })
}
