import { excerpt, isRecord } from '@attune/core'
import { type Conjunct, conjunctOf, inverse, never } from './conjunct.js'
import type { Keyword } from './normal-form-types.js'
import { numeric } from './scalar-keywords.js'
import { type Schema, badSchema } from './schema.js'
import { type Fact, type Items, type Members, type Terms, everything, typed, when } from './terms.js'

/** Value of a keyword whose members are named by the user. @throws AttuneError `BAD_SCHEMA` */
export function recordOf({ schema, at }: Conjunct, keyword: string): Schema {
  const value = schema[keyword] ?? {}
  if (isRecord(value)) return value
  throw badSchema(`${keyword} must be an object, got ${excerpt(value)}`, at, 'Map names to schemas.')
}

/** The fact that members satisfy the schemas of their names, under a negation or an absence. */
export const silently = (properties: readonly (readonly [string, Conjunct])[], at: string): Fact<'object'> => ({
  name: 'members',
  value: { properties: new Map(properties), patterns: [], named: false, silent: true },
  at,
})

/** The fact that a member is absent. */
export const absent = (name: string, at: string): Fact<'object'> => silently([[name, never(at)]], at)

function membersOf(conjunct: Conjunct): Members {
  const { schema, at } = conjunct
  const entries = (keyword: string): [string, Conjunct][] =>
    Object.entries(recordOf(conjunct, keyword)).map(([name, value]) => [
      name,
      conjunctOf(value, `${at}/${keyword}/${name}`),
    ])
  const rest = schema['additionalProperties']
  return {
    properties: new Map(entries('properties')),
    patterns: entries('patternProperties'),
    named: Object.hasOwn(schema, 'properties'),
    ...(rest === undefined ? {} : { rest: conjunctOf(rest, `${at}/additionalProperties`) }),
  }
}

const members: Keyword = {
  names: ['properties', 'patternProperties', 'additionalProperties'],
  yes(conjunct, { budget }) {
    const value = membersOf(conjunct)
    budget.spend(200 * (value.properties.size + value.patterns.length))
    return when('object', [{ name: 'members', value, at: conjunct.at }])
  },
  no(conjunct, { union, numberOf, omissions, narrowed }) {
    const { at } = conjunct
    const { properties, patterns, rest } = membersOf(conjunct)
    const anything = numberOf(conjunctOf(true, at))
    const differing = Array.from(properties, ([name, own]): Terms =>
      numberOf(own) === anything
        ? []
        : [typed('object', [{ name: 'required', value: name, at }, silently([[name, inverse(own)]], at)])],
    )
    const terms = union(differing)
    const inexact = patterns.length > 0 || (rest !== undefined && numberOf(rest) !== anything)
    if (inexact) {
      omissions.add()
      narrowed.note(
        'not',
        at,
        'objects that only a negated additionalProperties or patternProperties excludes are not generated',
      )
    }
    return terms.length === 0 && inexact ? undefined : terms
  },
}

/** Names of the required members. @throws AttuneError `BAD_SCHEMA` */
export function namesOf(value: unknown, keyword: string, at: string): readonly string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return [...new Set(value)]
  throw badSchema(`${keyword} must be an array of names, got ${excerpt(value)}`, at, 'List the names.')
}

const required: Keyword = {
  names: ['required'],
  yes({ schema, at }, { budget }) {
    const names = namesOf(schema['required'], 'required', at)
    budget.spend(50 * names.length)
    return when(
      'object',
      names.map((value): Fact<'object'> => ({ name: 'required', value, at })),
    )
  },
  no({ schema, at }, { union, budget }) {
    const names = namesOf(schema['required'], 'required', at)
    budget.spend(100 * names.length)
    return union(names.map((name): Terms => [typed('object', [absent(name, at)])]))
  },
}

const schemasOf = (value: readonly unknown[], at: string): Conjunct[] =>
  value.map((each, i) => conjunctOf(each, `${at}/${i}`))

/** Schemas of items: `prefixItems` and `items`, or in older drafts an array `items` and `additionalItems`. */
function itemsOf({ schema, at }: Conjunct): Items {
  const { items, prefixItems, additionalItems } = schema
  const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : []
  const [rest, keyword] = Array.isArray(items) ? [additionalItems, 'additionalItems'] : [items, 'items']
  return {
    prefix: schemasOf(tuple, `${at}/${Array.isArray(prefixItems) ? 'prefixItems' : 'items'}`),
    ...(rest === undefined ? {} : { rest: conjunctOf(rest, `${at}/${keyword}`) }),
  }
}

const items: Keyword = {
  names: ['items', 'prefixItems'],
  yes: (conjunct) => when('array', [{ name: 'items', value: itemsOf(conjunct), at: conjunct.at }]),
  no(conjunct) {
    const { prefix, rest } = itemsOf(conjunct)
    if (prefix.length > 0) return undefined
    if (rest === undefined) return []
    return [typed('array', [{ name: 'contains', value: inverse(rest), at: conjunct.at }])]
  },
}

const contains: Keyword = {
  names: ['contains'],
  yes({ schema, at }) {
    const [min, max] = [schema['minContains'] ?? 1, schema['maxContains']]
    if (max !== undefined || (min !== 0 && min !== 1))
      throw badSchema(
        `the keyword ${max === undefined ? 'minContains' : 'maxContains'} is not supported`,
        at,
        'Remove it and validate the value afterwards.',
      )
    if (min === 0) return everything()
    return when('array', [{ name: 'contains', value: conjunctOf(schema['contains'], `${at}/contains`), at }])
  },
  no({ schema, at }) {
    if (schema['minContains'] !== undefined || schema['maxContains'] !== undefined) return undefined
    const rest = inverse(conjunctOf(schema['contains'], `${at}/contains`))
    return [typed('array', [{ name: 'items', value: { prefix: [], rest }, at }])]
  },
}

const uniqueItems: Keyword = {
  names: ['uniqueItems'],
  yes: ({ schema, at }) =>
    schema['uniqueItems'] === true ? when('array', [{ name: 'uniqueItems', at }]) : everything(),
  no: ({ schema }) => (schema['uniqueItems'] === true ? undefined : []),
}

const propertyNames: Keyword = {
  names: ['propertyNames'],
  yes: ({ schema, at }) =>
    when('object', [{ name: 'propertyNames', value: conjunctOf(schema['propertyNames'], `${at}/propertyNames`), at }]),
  no: () => undefined,
}

/** Keywords for the smallest and the largest number of items or members. */
const counts = <K extends 'array' | 'object'>(
  kind: K,
  names: readonly [min: string, max: string],
  fact: (name: string, value: number, at: string) => Fact<K>,
): readonly Keyword[] => [
  numeric(
    names[0],
    kind,
    (value, { at }) => fact(names[0], value, at),
    (value, { at }) => (value === 0 ? 'none' : fact(names[1], value - 1, at)),
  ),
  numeric(
    names[1],
    kind,
    (value, { at }) => (value === Infinity ? undefined : fact(names[1], value, at)),
    (value, { at }) => (value === Infinity ? 'none' : fact(names[0], value + 1, at)),
  ),
]

/** Keywords about arrays and objects. */
export const CONTAINERS: readonly Keyword[] = [
  members,
  required,
  propertyNames,
  ...counts('object', ['minProperties', 'maxProperties'], (name, value, at) => ({
    name: name === 'minProperties' ? name : 'maxProperties',
    value,
    at,
  })),
  items,
  contains,
  uniqueItems,
  ...counts('array', ['minItems', 'maxItems'], (name, value, at) => ({
    name: name === 'minItems' ? name : 'maxItems',
    value,
    at,
  })),
]
