import { excerpt } from '@attune/core'
import type { Conjunct } from './conjunct.js'
import { FORMATS, NUMBER_FORMATS } from './json-formats.js'
import type { Keyword } from './normal-form-types.js'
import { badSchema } from './schema.js'
import { type Fact, type Kind, type Terms, canonical, everything, listed, typed, when } from './terms.js'

const TYPES = ['string', 'integer', 'number', 'array', 'object', 'boolean', 'null']

/** Types that a schema names. @throws AttuneError `BAD_SCHEMA` */
function typesOf({ schema, at }: Conjunct): ReadonlySet<string> {
  const types = new Set([schema['type']].flat())
  for (const type of types)
    if (typeof type !== 'string' || !TYPES.includes(type))
      throw badSchema(`type must be one of ${TYPES.join(', ')}, got ${excerpt(type)}`, at, 'Use one of these.')
  return types as ReadonlySet<string>
}

function typeTerms(conjunct: Conjunct): Terms {
  const { at } = conjunct
  return Array.from(typesOf(conjunct)).flatMap((type, _, all): Terms => {
    if (type === 'null') return listed([null])
    if (type === 'boolean') return listed([true, false])
    if (type !== 'integer') return [typed(type as Kind)]
    return all.includes('number') ? [] : [typed('number', [{ name: 'integer', at }])]
  })
}

/** Values of none of the types that a schema names. */
function otherTypes(conjunct: Conjunct): Terms {
  const types = typesOf(conjunct)
  const singles = [...(types.has('null') ? [] : [null]), ...(types.has('boolean') ? [] : [true, false])]
  const typedTerms = everything().filter((term) => term.kind !== 'values' && !types.has(term.kind))
  const fraction: Terms = [typed('number', [{ name: 'fraction', at: conjunct.at }])]
  return [
    ...listed(singles),
    ...typedTerms.flatMap((term) => (term.kind === 'number' && types.has('integer') ? fraction : [term])),
  ]
}

/** Values that a schema lists. @throws AttuneError `BAD_SCHEMA` */
function valuesOf({ schema, at }: Conjunct, keyword: string): readonly unknown[] {
  const values = keyword === 'const' ? [schema['const']] : schema[keyword]
  if (!Array.isArray(values)) throw badSchema('enum must be an array', at, 'List the values.')
  return values
}

/** Values other than the listed ones; `undefined` if they include arrays or objects, except empty ones. */
function exceptValues(values: readonly unknown[], at: string): Terms | undefined {
  const names = new Set(values.map(canonical))
  const numbers = [...new Set(values.filter((value) => typeof value === 'number'))].sort((a, b) => a - b)
  const between = [-Infinity, ...numbers].map((above, i) => {
    const below = numbers[i] ?? Infinity
    const facts: Fact<'number'>[] = []
    if (above > -Infinity) facts.push({ name: 'above', value: above, at })
    if (below < Infinity) facts.push({ name: 'below', value: below, at })
    return typed('number', facts)
  })
  const strings = values
    .filter((value) => typeof value === 'string')
    .map((value): Fact<'string'> => ({ name: 'not', value, at }))
  const filled = values.some((value) => typeof value === 'object' && value !== null && Object.keys(value).length > 0)
  if (filled) return undefined
  return [
    ...listed([null, true, false].filter((value) => !names.has(String(value)))),
    ...between,
    typed('string', strings),
    typed('array', names.has('[]') ? [{ name: 'minItems', value: 1, at }] : []),
    typed('object', names.has('{}') ? [{ name: 'minProperties', value: 1, at }] : []),
  ]
}

const listing = (keyword: string): Keyword => ({
  names: [keyword],
  yes(conjunct, { union, budget }) {
    const values = valuesOf(conjunct, keyword)
    budget.spend(100 * values.length)
    return union([listed(values)])
  },
  no(conjunct, { budget }) {
    const values = valuesOf(conjunct, keyword)
    budget.spend(200 * values.length)
    return exceptValues(values, conjunct.at)
  },
})

/** A keyword whose value is a number, about one type; its inverse is another fact. */
export function numeric<K extends Kind>(
  keyword: string,
  kind: K,
  fact: (value: number, conjunct: Conjunct) => Fact<K> | undefined,
  inverse: (value: number, conjunct: Conjunct) => Fact<K> | 'none' | undefined,
): Keyword {
  const numberOf = ({ schema, at }: Conjunct): number => {
    const value = schema[keyword]
    const isCount = kind !== 'number'
    if (typeof value === 'number' && (!isCount || (value >= 0 && (value === Infinity || Number.isInteger(value)))))
      return value
    const wanted = isCount ? 'a non-negative integer' : 'a number'
    throw badSchema(`${keyword} must be ${wanted}, got ${excerpt(value)}`, at, 'Use such a number.')
  }
  const isFlag = ({ schema }: Conjunct): boolean => kind === 'number' && typeof schema[keyword] === 'boolean'
  return {
    names: [keyword],
    yes(conjunct) {
      if (isFlag(conjunct)) return everything()
      const own = fact(numberOf(conjunct), conjunct)
      return own === undefined ? everything() : when(kind, [own])
    },
    no(conjunct) {
      if (isFlag(conjunct)) return []
      const own = inverse(numberOf(conjunct), conjunct)
      return own === 'none' ? [] : own === undefined ? undefined : [typed(kind, [own])]
    },
  }
}

const text = ({ schema, at }: Conjunct, keyword: string): string => {
  const value = schema[keyword]
  if (typeof value === 'string') return value
  throw badSchema(`${keyword} must be a string, got ${excerpt(value)}`, at, 'Use a string.')
}

const pattern: Keyword = {
  names: ['pattern'],
  yes: (conjunct) => when('string', [{ name: 'pattern', value: text(conjunct, 'pattern'), at: conjunct.at }]),
  no: (conjunct) => [typed('string', [{ name: 'notPattern', value: text(conjunct, 'pattern'), at: conjunct.at }])],
}

/** Formats other than the known ones are annotations, as the specification says. */
const format: Keyword = {
  names: ['format'],
  yes(conjunct, { omissions }) {
    const { at } = conjunct
    const name = text(conjunct, 'format')
    // Rare forms of a format are not generated.
    if (Object.hasOwn(FORMATS, name)) omissions.add()
    if (Object.hasOwn(FORMATS, name)) return when('string', [{ name: 'format', value: name, at }])
    const limits = Object.hasOwn(NUMBER_FORMATS, name) ? NUMBER_FORMATS[name]! : undefined
    if (limits === undefined) return everything()
    const bounds: Fact<'number'>[] = [
      { name: 'minimum', value: limits[0], at },
      { name: 'maximum', value: limits[1], at },
    ]
    return when('number', [{ name: 'integer', at }, ...bounds])
  },
  no: (conjunct) => (Object.hasOwn(FORMATS, text(conjunct, 'format')) ? undefined : []),
}

/** A lower or upper bound; in draft 4 a boolean makes it exclusive. */
const bound = (keyword: 'minimum' | 'maximum'): Keyword => {
  const [exclusive, inverse] = keyword === 'minimum' ? (['above', 'below'] as const) : (['below', 'above'] as const)
  const flag = keyword === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum'
  const other = keyword === 'minimum' ? 'maximum' : 'minimum'
  return numeric(
    keyword,
    'number',
    (value, { schema, at }) => ({ name: schema[flag] === true ? exclusive : keyword, value, at }),
    (value, { schema, at }) => ({ name: schema[flag] === true ? other : inverse, value, at }),
  )
}

/** Keywords about types, listed values, numbers and strings. */
export const SCALARS: readonly Keyword[] = [
  { names: ['type'], yes: typeTerms, no: otherTypes },
  listing('const'),
  listing('enum'),
  bound('minimum'),
  bound('maximum'),
  numeric(
    'exclusiveMinimum',
    'number',
    (value, { at }) => ({ name: 'above', value, at }),
    (value, { at }) => ({ name: 'maximum', value, at }),
  ),
  numeric(
    'exclusiveMaximum',
    'number',
    (value, { at }) => ({ name: 'below', value, at }),
    (value, { at }) => ({ name: 'minimum', value, at }),
  ),
  numeric(
    'multipleOf',
    'number',
    (value, { at }) => {
      if (value > 0 && value < Infinity) return { name: 'multipleOf', value, at }
      throw badSchema(`multipleOf must be positive, got ${value}`, at, 'Use a positive number.')
    },
    () => undefined,
  ),
  numeric(
    'minLength',
    'string',
    (value, { at }) => ({ name: 'minLength', value, at }),
    (value, { at }) => (value === 0 ? 'none' : { name: 'maxLength', value: value - 1, at }),
  ),
  numeric(
    'maxLength',
    'string',
    (value, { at }) => ({ name: 'maxLength', value, at }),
    (value, { at }) => (value === Infinity ? 'none' : { name: 'minLength', value: value + 1, at }),
  ),
  pattern,
  format,
]
