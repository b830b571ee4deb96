import { type Budget, excerpt } from '@attune/core'
import { ANY } from './character-set.js'
import { FORMATS } from './json-formats.js'
import { integers, numbers } from './json-numbers.js'
import { type Spacing, type Spelled, jsonString } from './json-text.js'
import { parsePattern, wholePattern } from './parse-pattern.js'
import { EMPTY, NOTHING, type Pattern, choice, choiceOf, literal, optional, repeat, sequence, set } from './pattern.js'
import { type Place, badSchema, countsOf, placeOf } from './schema.js'

/** What the parts of a schema are made into, and how values are set apart. */
export interface Parts {
  readonly spacing: Spacing
  patternOf(place: Place): Pattern
  readonly budget: Budget
  /** Patterns that stand in many places, by name. */
  readonly texts: Map<string, Pattern>
  readonly spelled: Spelled
}

/** A pattern that is made once. */
function once({ texts }: Parts, name: string, make: () => Pattern): Pattern {
  const pattern = texts.get(name) ?? make()
  texts.set(name, pattern)
  return pattern
}

/** The pattern of a type, by name. */
export type TypePattern = (place: Place, parts: Parts) => Pattern

const anything: Pattern = repeat(set(ANY), 0, Infinity)

/** What JSON Schema calls a match: anywhere in the string, where no anchor says otherwise. */
const containing = (source: string): Pattern =>
  choiceOf(
    parsePattern(source).map(({ pattern, fromStart, toEnd }) =>
      sequence(fromStart ? EMPTY : anything, pattern, toEnd ? EMPTY : anything),
    ),
  )

const string: TypePattern = (place, parts) => {
  const { schema, at } = place
  const { pattern, format } = schema
  const [least, most] = countsOf(place, 'minLength', 'maxLength')
  const ways = ['pattern', 'format', 'minLength', 'maxLength'].filter((keyword) => schema[keyword] !== undefined)
  if (ways.length > 1 && (pattern !== undefined || format !== undefined))
    throw badSchema(`${ways.join(' and ')} cannot be kept together`, at, 'Put all of it into one `pattern`.')
  if (pattern !== undefined) {
    if (typeof pattern !== 'string')
      throw badSchema(`pattern must be a text, got ${excerpt(pattern)}`, at, 'Write a regular expression.')
    parts.budget.spend(200 * pattern.length)
    return once(parts, `pattern ${pattern}`, () => {
      parts.budget.hold(400 * pattern.length)
      return jsonString(containing(pattern), parts.spelled)
    })
  }
  if (format === undefined)
    return least > most
      ? jsonString(NOTHING, parts.spelled)
      : once(parts, `${least}-${most}`, () => jsonString(repeat(set(ANY), least, most), parts.spelled))
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  if (known === undefined)
    throw badSchema(
      `format must be one of ${Object.keys(FORMATS).join(', ')}, got ${excerpt(format)}`,
      at,
      'Leave it out, or write a `pattern`.',
    )
  return once(parts, `format ${String(format)}`, () => jsonString(wholePattern(known), parts.spelled))
}

function bound({ schema, at }: Place, keyword: string): number | undefined {
  const value = schema[keyword]
  if (value === undefined || typeof value === 'number') return value
  throw badSchema(`${keyword} must be a number, got ${excerpt(value)}`, at, 'Give a number.')
}

const integer: TypePattern = (place, parts) => {
  const above = bound(place, 'exclusiveMinimum') ?? -Infinity
  const below = bound(place, 'exclusiveMaximum') ?? Infinity
  const least = Math.max(bound(place, 'minimum') ?? -Infinity, Math.floor(above) + 1)
  const most = Math.min(bound(place, 'maximum') ?? Infinity, Math.ceil(below) - 1)
  // Between bounds with many digits up to some hundred patterns.
  parts.budget.spend(25_000)
  parts.budget.hold(25_000)
  return once(parts, `integer ${least} ${most}`, () => integers(least, most))
}

const number: TypePattern = (place, parts) => {
  const { schema, at } = place
  const least = bound(place, 'minimum')
  for (const keyword of ['maximum', 'exclusiveMinimum', 'exclusiveMaximum', ...(least === 0 ? [] : ['minimum'])])
    if (schema[keyword] !== undefined)
      throw badSchema(
        `${keyword} of a number is not kept: only a minimum of 0 is, and bounds of integers`,
        at,
        'Leave it out and check the number afterwards, or make it an integer.',
      )
  return once(parts, `number ${least}`, () => numbers(least === undefined))
}

const array: TypePattern = (place, { spacing, patternOf }) => {
  const [least, most] = countsOf(place, 'minItems', 'maxItems')
  if (least > most) return NOTHING
  if (most === 0) return literal('[]')
  const item = patternOf(placeOf(place.schema['items'], `${place.at}/items`))
  const more = repeat(sequence(literal(spacing.comma), item), Math.max(least - 1, 0), most - 1)
  const filled = sequence(item, more)
  return sequence(literal('['), least === 0 ? optional(filled) : filled, literal(']'))
}

/** The names of the properties that an object must have. */
function requiredOf({ schema, at }: Place, properties: object): ReadonlySet<unknown> {
  const listed = schema['required'] ?? []
  if (!Array.isArray(listed)) throw badSchema('required must be a list of names', at, 'List the names.')
  const required = new Set(listed as unknown[])
  for (const name of required)
    if (typeof name !== 'string' || !Object.hasOwn(properties, name))
      throw badSchema(`required names ${excerpt(name)}, which is not under properties`, at, 'Describe it there.')
  return required
}

const object: TypePattern = ({ schema, at }, { spacing, patternOf }) => {
  const others = schema['additionalProperties']
  if (others !== undefined && typeof others !== 'boolean')
    throw badSchema('additionalProperties must be false', at, 'Name the properties under `properties`.')
  const properties = placeOf(schema['properties'] ?? {}, `${at}/properties`).schema
  const required = requiredOf({ schema, at }, properties)
  // What may follow from each property on, before which one stands already, or none. Both share what comes after.
  let [following, beginning]: [Pattern, Pattern] = [EMPTY, EMPTY]
  for (const [name, value] of Object.entries(properties).reverse()) {
    const label = literal(`${JSON.stringify(name)}${spacing.colon}`)
    const member = sequence(label, patternOf(placeOf(value, `${at}/properties/${name}`)))
    const first = sequence(member, following)
    const next = sequence(literal(spacing.comma), member, following)
    beginning = required.has(name) ? first : choice(first, beginning)
    following = required.has(name) ? next : choice(next, following)
  }
  return sequence(literal('{'), beginning, literal('}'))
}

/** The patterns of the types of JSON Schema. */
export const TYPES: Readonly<Record<string, TypePattern>> = {
  string,
  integer,
  number,
  array,
  object,
  boolean: () => choice(literal('true'), literal('false')),
  null: () => literal('null'),
}
