import type { Conjunct } from './conjunct.js'
import { jsonString } from './json-text.js'
import { textsOf } from './json-strings.js'
import { anything, containing } from './parse-pattern.js'
import { isImpossible, memberOf } from './impossible.js'
import { countsIn } from './facts.js'
import type { Parts } from './parts.js'
import { EMPTY, NOTHING, type Pattern, choice, choiceOf, literal, optional, repeat, sequence } from './pattern.js'
import { badSchema } from './schema.js'
import type { Fact, Members } from './terms.js'
import { type Condition, intersectTexts } from './text-intersection.js'

type Facts = readonly Fact<'object'>[]

const layersOf = (facts: Facts): readonly Members[] =>
  facts.flatMap((fact) => (fact.name === 'members' ? [fact.value] : []))

/** Names that the schemas mention, in their order. */
const namesOf = (facts: Facts): ReadonlySet<string> =>
  new Set([
    ...layersOf(facts).flatMap(({ properties }) => [...properties.keys()]),
    ...facts.flatMap((fact) => (fact.name === 'required' ? [fact.value] : [])),
  ])

/** True if members with other names are generated: a schema describes them, or no schema names any. */
const isOpen = (facts: Facts): boolean => {
  const layers = layersOf(facts).filter(({ silent }) => silent !== true)
  return (
    layers.some(({ rest, patterns }) => rest !== undefined || patterns.length > 0) || !layers.some(({ named }) => named)
  )
}

/** Patterns of names that `propertyNames` allows, one for each conjunct. */
function allowedNames(facts: Facts, parts: Parts): Pattern[] {
  return facts.flatMap((fact) => {
    if (fact.name !== 'propertyNames') return []
    const texts = parts.form.termsOf([fact.value]).flatMap((term): Pattern[] => {
      if (term.kind === 'string') return [textsOf(term.facts, parts)]
      if (term.kind !== 'values') return []
      return term.values.filter((value) => typeof value === 'string').map(literal)
    })
    return [choiceOf(texts)]
  })
}

/** Names that match the same patterns, and the schemas of their members. */
interface Region {
  readonly conditions: readonly Condition[]
  readonly schemas: readonly Conjunct[]
}

const MAX_REGIONS = 64

/** Divides the names that no schema mentions by the patterns that they match. */
function regionsOf(facts: Facts, names: ReadonlySet<string>, parts: Parts): readonly Region[] {
  const { budget } = parts
  const layers = layersOf(facts)
  const sources = [...new Set(layers.flatMap(({ patterns }) => patterns.map(([source]) => source)))]
  const named: Condition = { pattern: choiceOf([...names].map(literal)), negated: true }
  const all: Condition[] = [
    ...(names.size > 0 ? [named] : []),
    ...allowedNames(facts, parts).map((pattern) => ({ pattern, negated: false })),
  ]
  let regions: { readonly conditions: readonly Condition[]; readonly matched: readonly string[] }[] = [
    { conditions: all, matched: [] },
  ]
  for (const source of sources) {
    const pattern = containing(source, budget)
    regions = regions
      .flatMap(({ conditions, matched }) => [
        { conditions: [...conditions, { pattern, negated: false }], matched: [...matched, source] },
        { conditions: [...conditions, { pattern, negated: true }], matched },
      ])
      .filter(({ conditions }) => intersectTexts(conditions, { min: 0, max: Infinity }, budget) !== NOTHING)
    if (regions.length > MAX_REGIONS)
      throw badSchema(
        `the patterns of patternProperties divide names into more than ${MAX_REGIONS} groups`,
        facts[0]?.at ?? '#',
        'Use fewer patterns, or patterns that match no common names.',
      )
  }
  return regions.map(({ conditions, matched }) => ({
    conditions,
    schemas: layers.flatMap(({ patterns, rest }) => {
      const own = patterns.filter(([source]) => matched.includes(source)).map(([, schema]) => schema)
      return own.length > 0 || rest === undefined ? own : [rest]
    }),
  }))
}

/** Pattern of one member whose name no schema mentions. */
function otherMember(facts: Facts, names: ReadonlySet<string>, parts: Parts): Pattern {
  const { budget, form, patternOf, spacing, spelled } = parts
  const members = regionsOf(facts, names, parts)
    .filter(({ schemas }) => !isImpossible(form.termsOf(schemas), form))
    .map(({ conditions, schemas }) => {
      const texts = conditions.length === 0 ? anything : intersectTexts(conditions, { min: 0, max: Infinity }, budget)
      return sequence(jsonString(texts, spelled), literal(spacing.colon), patternOf(schemas))
    })
  return choiceOf(members)
}

/** Members from an index on, by the number of members before it. */
type Following = readonly Pattern[]

/** Other members at the end of an object. They may repeat a name, so they count as one towards a minimum. */
function others(member: Pattern, [min, max]: readonly [number, number], counted: number, comma: Pattern): Following {
  return Array.from({ length: counted + 1 }, (_, count) => {
    if (min - count > 1) return NOTHING
    const most = max - count
    if (most <= 0) return min > count ? NOTHING : EMPTY
    const later = (before: number): Pattern => repeat(sequence(comma, member), before, most - (count === 0 ? 1 : 0))
    if (count > 0) return later(min > count ? 1 : 0)
    const filled = sequence(member, later(0))
    return min > 0 ? filled : optional(filled)
  })
}

/** Largest number of members times counts. */
const MAX_CELLS = 100_000

/** Pattern of the objects for which all facts hold: mentioned names in their order, then others. */
export function objectValues(facts: Facts, parts: Parts): Pattern {
  const { budget, form, patternOf, spacing } = parts
  const names = namesOf(facts)
  const required = new Set(facts.flatMap((fact) => (fact.name === 'required' ? [fact.value] : [])))
  const [min, max] = countsIn(facts, 'minProperties', 'maxProperties')
  if (min > max || required.size > max) return NOTHING
  const comma = literal(spacing.comma)
  budget.spend(100 * names.size * (1 + layersOf(facts).length))
  const present = [...names].flatMap((name) => {
    const schemas = memberOf(facts, name, form)
    if (isImpossible(form.termsOf(schemas), form)) return []
    return [{ name, schemas }]
  })
  if (present.filter(({ name }) => required.has(name)).length < required.size) return NOTHING
  const open = isOpen(facts) || min > present.length
  if (open && min > present.length + 1)
    throw badSchema(
      `minProperties must be at most the number of named properties plus 1, got ${min}`,
      facts.find((fact) => fact.name === 'minProperties')!.at,
      'Name the properties, or lower it.',
    )
  const counted = Math.min(max < Infinity ? max : Math.max(min, 1), present.length + 1)
  if (counted * present.length > MAX_CELLS) budget.spend(Infinity)
  let following: Following = open
    ? others(otherMember(facts, names, parts), [min, max], counted, comma)
    : Array.from({ length: counted + 1 }, (_, count) => (count >= min ? EMPTY : NOTHING))
  for (const { name, schemas } of present.toReversed()) {
    const label = literal(`${JSON.stringify(name)}${spacing.colon}`)
    const member = sequence(label, patternOf(schemas))
    const rest = following
    following = rest.map((without, count) => {
      if (count >= max) return required.has(name) ? NOTHING : without
      const next = rest[Math.min(count + 1, counted)]!
      const own = count === 0 ? sequence(member, next) : sequence(comma, member, next)
      return required.has(name) ? own : choice(own, without)
    })
  }
  return sequence(literal('{'), following[0]!, literal('}'))
}
