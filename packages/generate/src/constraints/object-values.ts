import { type Conjunct, never } from './conjunct.js'
import { jsonString } from './json-text.js'
import { textsOf } from './json-strings.js'
import { anything, containing } from './parse-pattern.js'
import { isImpossible, memberOf } from './impossible.js'
import { countsIn } from './facts.js'
import { otherTexts } from './other-texts.js'
import { type NamedMembers, type Parts, type Region, memoized } from './parts.js'
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

/** True if members with other names are invalid. */
const isClosed = (facts: Facts, { numberOf }: Parts['form']): boolean =>
  layersOf(facts).some(({ rest }) => rest !== undefined && numberOf(rest) === numberOf(never(rest.at)))

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

const MAX_REGIONS = 64
const ANY_LENGTH = { min: 0, max: Infinity }

/** Divides names by the patterns that they match. */
function divided(whole: Region, sources: readonly string[], at: string, parts: Parts): readonly Region[] {
  const { budget } = parts
  let regions = [whole]
  for (const source of sources) {
    // A deterministic automaton, which makes the intersections cheap.
    const pattern = memoized(parts, `matches ${source}`, () =>
      intersectTexts([{ pattern: containing(source, budget), negated: false }], ANY_LENGTH, budget),
    )
    regions = regions
      .flatMap(({ texts, matched }) =>
        [false, true].map((negated): Region => {
          const conditions = [...(texts === anything ? [] : [{ pattern: texts, negated: false }]), { pattern, negated }]
          return {
            texts: intersectTexts(conditions, ANY_LENGTH, budget),
            matched: negated ? matched : [...matched, source],
          }
        }),
      )
      .filter(({ texts }) => texts !== NOTHING)
    if (regions.length > MAX_REGIONS)
      throw badSchema(
        `the patterns of patternProperties divide names into more than ${MAX_REGIONS} groups`,
        at,
        'Use fewer patterns, or patterns that match no common names.',
      )
  }
  return regions
}

/** Divides the names that no schema mentions by the patterns that they match; done once for the same names and patterns. */
function regionsOf(facts: Facts, names: ReadonlySet<string>, parts: Parts): readonly Region[] {
  const { budget, form, regions } = parts
  const sources = new Set(layersOf(facts).flatMap(({ patterns }) => patterns.map(([source]) => source)))
  const allowed = facts.flatMap((fact) => (fact.name === 'propertyNames' ? [form.numberOf(fact.value)] : []))
  budget.spend(20 * names.size)
  const key = JSON.stringify([[...names], [...sources], allowed])
  const known = regions.get(key)
  if (known !== undefined) return known
  const conditions: Condition[] = [
    ...(names.size > 0 ? [{ pattern: otherTexts([...names], budget), negated: false }] : []),
    ...allowedNames(facts, parts).map((pattern) => ({ pattern, negated: false })),
  ]
  const texts =
    conditions.length < 2 ? (conditions[0]?.pattern ?? anything) : intersectTexts(conditions, ANY_LENGTH, budget)
  const own = divided({ texts, matched: [] }, [...sources], facts[0]?.at ?? '#', parts)
  budget.hold(2 * key.length)
  regions.set(key, own)
  return own
}

/** Pattern of one member whose name no schema mentions. */
function otherMember(facts: Facts, names: ReadonlySet<string>, parts: Parts): Pattern {
  const { form, patternOf, spacing, spelled } = parts
  const layers = layersOf(facts)
  const members = regionsOf(facts, names, parts).flatMap(({ texts, matched }) => {
    const schemas = layers.flatMap(({ patterns, rest }): readonly Conjunct[] => {
      const own = patterns.filter(([source]) => matched.includes(source)).map(([, schema]) => schema)
      return own.length > 0 || rest === undefined ? own : [rest]
    })
    if (isImpossible(form.termsOf(schemas), form)) return []
    return [sequence(jsonString(texts, spelled), literal(spacing.colon), patternOf(schemas))]
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

/** Names of an object, computed once for the same facts. */
function membersOf(facts: Facts, { budget, form, members }: Parts): NamedMembers {
  const known = members.get(facts)
  if (known !== undefined) return known
  const names = namesOf(facts)
  const required = new Set(facts.flatMap((fact) => (fact.name === 'required' ? [fact.value] : [])))
  budget.spend(100 * names.size * (1 + layersOf(facts).length))
  budget.hold(100 * names.size)
  const present = [...names].flatMap((name) => {
    const schemas = memberOf(facts, name, form)
    return isImpossible(form.termsOf(schemas), form) ? [] : [{ name, schemas }]
  })
  const own = { names, required, present }
  members.set(facts, own)
  return own
}

/** Pattern of the objects for which all facts hold: mentioned names in their order, then others. */
export function objectValues(facts: Facts, parts: Parts): Pattern {
  const { budget, form, patternOf, spacing } = parts
  const { names, required, present } = membersOf(facts, parts)
  const [min, max] = countsIn(facts, 'minProperties', 'maxProperties')
  if (min > max || required.size > max) return NOTHING
  budget.spend(100 * present.length)
  const comma = literal(spacing.comma)
  if (present.filter(({ name }) => required.has(name)).length < required.size) return NOTHING
  const open = isOpen(facts) || min > present.length
  const { at } = facts[0] ?? { at: '#' }
  if (names.size > 1)
    form.narrowed.note('properties', at, 'properties come in the order of the schema, others after them')
  if (!open && !isClosed(facts, form))
    form.narrowed.note('properties', at, 'properties that the schema does not name are not generated')
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
