import { type Budget, excerpt } from '@attune/core'
import { ANY } from './character-set.js'
import { FORMATS } from './json-formats.js'
import { integers, numbers } from './json-numbers.js'
import { type Spacing, type Spelled, jsonString } from './json-text.js'
import { parsePattern, wholePattern } from './parse-pattern.js'
import { EMPTY, NOTHING, type Pattern, choice, choiceOf, literal, optional, repeat, sequence, set } from './pattern.js'
import { type Subschema, badSchema, countsOf, subschemaOf } from './schema.js'

/** Context of the conversion of a schema. */
export interface Parts {
  readonly spacing: Spacing
  patternOf(subschema: Subschema): Pattern
  readonly budget: Budget
  /** Patterns that occur often, by name. */
  readonly texts: Map<string, Pattern>
  readonly spelled: Spelled
}

/** Memoizes a pattern by name. */
function memoized({ texts }: Parts, name: string, make: () => Pattern): Pattern {
  const pattern = texts.get(name) ?? make()
  texts.set(name, pattern)
  return pattern
}

/** Converts a schema of one type to a pattern. */
export type TypePattern = (subschema: Subschema, parts: Parts) => Pattern

const anything: Pattern = repeat(set(ANY), 0, Infinity)

/** A pattern match as JSON Schema defines it: anywhere in the string, unless anchored. */
const containing = (source: string): Pattern =>
  choiceOf(
    parsePattern(source).map(({ pattern, fromStart, toEnd }) =>
      sequence(fromStart ? EMPTY : anything, pattern, toEnd ? EMPTY : anything),
    ),
  )

const string: TypePattern = (subschema, parts) => {
  const { schema, at } = subschema
  const { pattern, format } = schema
  const [min, max] = countsOf(subschema, 'minLength', 'maxLength')
  const keywords = ['pattern', 'format', 'minLength', 'maxLength'].filter((keyword) => schema[keyword] !== undefined)
  if (keywords.length > 1 && (pattern !== undefined || format !== undefined))
    throw badSchema(`${keywords.join(' and ')} cannot be combined`, at, 'Express both in one `pattern`.')
  if (pattern !== undefined) {
    if (typeof pattern !== 'string')
      throw badSchema(`pattern must be a string, got ${excerpt(pattern)}`, at, 'Write a regular expression.')
    parts.budget.spend(200 * pattern.length)
    return memoized(parts, `pattern ${pattern}`, () => {
      parts.budget.hold(400 * pattern.length)
      return jsonString(containing(pattern), parts.spelled)
    })
  }
  if (format === undefined)
    return min > max
      ? jsonString(NOTHING, parts.spelled)
      : memoized(parts, `${min}-${max}`, () => jsonString(repeat(set(ANY), min, max), parts.spelled))
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  if (known === undefined)
    throw badSchema(
      `format must be one of ${Object.keys(FORMATS).join(', ')}, got ${excerpt(format)}`,
      at,
      'Remove it, or use a `pattern`.',
    )
  return memoized(parts, `format ${String(format)}`, () => jsonString(wholePattern(known), parts.spelled))
}

function bound({ schema, at }: Subschema, keyword: string): number | undefined {
  const value = schema[keyword]
  if (value === undefined || typeof value === 'number') return value
  throw badSchema(`${keyword} must be a number, got ${excerpt(value)}`, at, 'Use a number.')
}

const integer: TypePattern = (subschema, parts) => {
  const above = bound(subschema, 'exclusiveMinimum') ?? -Infinity
  const below = bound(subschema, 'exclusiveMaximum') ?? Infinity
  const min = Math.max(bound(subschema, 'minimum') ?? -Infinity, Math.floor(above) + 1)
  const max = Math.min(bound(subschema, 'maximum') ?? Infinity, Math.ceil(below) - 1)
  // Bounds with many digits take up to some hundred patterns.
  parts.budget.spend(25_000)
  parts.budget.hold(25_000)
  return memoized(parts, `integer ${min} ${max}`, () => integers(min, max))
}

const number: TypePattern = (subschema, parts) => {
  const { schema, at } = subschema
  const min = bound(subschema, 'minimum')
  for (const keyword of ['maximum', 'exclusiveMinimum', 'exclusiveMaximum', ...(min === 0 ? [] : ['minimum'])])
    if (schema[keyword] !== undefined)
      throw badSchema(
        `${keyword} of a number is not supported: only a minimum of 0, or bounds of integers`,
        at,
        'Remove it and check the number afterwards, or make it an integer.',
      )
  return memoized(parts, `number ${min}`, () => numbers(min === undefined))
}

const array: TypePattern = (subschema, { spacing, patternOf }) => {
  const [min, max] = countsOf(subschema, 'minItems', 'maxItems')
  if (min > max) return NOTHING
  if (max === 0) return literal('[]')
  const item = patternOf(subschemaOf(subschema.schema['items'], `${subschema.at}/items`))
  const more = repeat(sequence(literal(spacing.comma), item), Math.max(min - 1, 0), max - 1)
  const filled = sequence(item, more)
  return sequence(literal('['), min === 0 ? optional(filled) : filled, literal(']'))
}

/** Names of the required properties of an object. */
function requiredOf({ schema, at }: Subschema, properties: object): ReadonlySet<unknown> {
  const listed = schema['required'] ?? []
  if (!Array.isArray(listed)) throw badSchema('required must be an array of names', at, 'List the names.')
  const required = new Set(listed as unknown[])
  for (const name of required)
    if (typeof name !== 'string' || !Object.hasOwn(properties, name))
      throw badSchema(`required names ${excerpt(name)}, which is not under properties`, at, 'Define it there.')
  return required
}

const object: TypePattern = ({ schema, at }, { spacing, patternOf }) => {
  const others = schema['additionalProperties']
  if (others !== undefined && typeof others !== 'boolean')
    throw badSchema('additionalProperties must be a boolean', at, 'List the properties under `properties`.')
  const properties = subschemaOf(schema['properties'] ?? {}, `${at}/properties`).schema
  const required = requiredOf({ schema, at }, properties)
  // From each property on: what may follow after another property, or as the first one. Both share the rest.
  let [following, beginning]: [Pattern, Pattern] = [EMPTY, EMPTY]
  for (const [name, value] of Object.entries(properties).reverse()) {
    const label = literal(`${JSON.stringify(name)}${spacing.colon}`)
    const member = sequence(label, patternOf(subschemaOf(value, `${at}/properties/${name}`)))
    const first = sequence(member, following)
    const next = sequence(literal(spacing.comma), member, following)
    beginning = required.has(name) ? first : choice(first, beginning)
    following = required.has(name) ? next : choice(next, following)
  }
  return sequence(literal('{'), beginning, literal('}'))
}

/** Patterns of the JSON Schema types. */
export const TYPES: Readonly<Record<string, TypePattern>> = {
  string,
  integer,
  number,
  array,
  object,
  boolean: () => choice(literal('true'), literal('false')),
  null: () => literal('null'),
}
