import { type Budget, excerpt, shortened } from '@attune/core'
import { disjointness } from './disjoint-schemas.js'
import { type Spacing, jsonText } from './json-text.js'
import { NOTHING, type Pattern, choiceOf, literal } from './pattern.js'
import { type Place, type Schema, badSchema, placeOf, resolveReference } from './schema.js'
import { type Parts, TYPES } from './schema-types.js'

const ANNOTATIONS = [
  ...['$schema', '$id', '$comment', '$defs', 'definitions', 'title', 'description', 'default', 'examples'],
  ...['deprecated', 'readOnly', 'writeOnly'],
]
const OF_TYPES = [
  ...[
    'type',
    'minLength',
    'maxLength',
    'pattern',
    'format',
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
  ],
  ...['items', 'minItems', 'maxItems', 'properties', 'required', 'additionalProperties'],
]
/** What decides a schema, and what may stand beside it. */
const KEYWORDS: readonly (readonly [keyword: string, beside: readonly string[]])[] = [
  ['$ref', []],
  ['const', ['type', 'enum']],
  ['enum', ['type']],
  ['anyOf', []],
  ['oneOf', []],
  ['type', OF_TYPES],
]
const DEEPEST = 200

/** How a schema is written as JSON. */
export interface SchemaOptions {
  /** Whether one space stands after each colon and comma. Default: no white space at all. */
  readonly spaces?: boolean
  /** How often a definition may occur within itself. Default: 0, where a schema that does so is refused. */
  readonly recursionDepth?: number
}

/** What decides a schema; whatever else it says must be known. */
function decisive({ schema, at }: Place): string {
  const found = KEYWORDS.find(([keyword]) => Object.hasOwn(schema, keyword))
  if (found === undefined)
    throw badSchema('a schema must say what the value is', at, 'Give it a `type`, `enum`, `const`, `anyOf` or `$ref`.')
  const [keyword, beside] = found
  for (const name of Object.keys(schema))
    if (name !== keyword && !beside.includes(name) && !ANNOTATIONS.includes(name))
      throw badSchema(
        `the keyword ${shortened(name)} is not supported beside ${keyword}`,
        at,
        'Leave it out, or say it otherwise.',
      )
  return keyword
}

/** The types that a schema names, each once. */
const typesOf = (schema: Schema): ReadonlySet<unknown> => new Set([schema['type']].flat())

const hasType = (types: ReadonlySet<unknown>, value: unknown): boolean => {
  const own = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return types.has(own) || (types.has('integer') && Number.isInteger(value))
}

function listed({ schema, at }: Place, { spacing, budget }: Parts): Pattern {
  const choices = Object.hasOwn(schema, 'enum') ? schema['enum'] : [schema['const']]
  if (!Array.isArray(choices)) throw badSchema('enum must be a list', at, 'List the values.')
  const only = Object.hasOwn(schema, 'const') ? jsonText(schema['const'], spacing) : undefined
  const types = typesOf(schema)
  const spelled = choices
    .filter((value) => schema['type'] === undefined || hasType(types, value))
    .map((value: unknown) => jsonText(value, spacing))
    .filter((text) => only === undefined || text === only)
  for (const { length } of spelled) {
    budget.spend(100 + 10 * length)
    budget.hold(200 + 2 * length)
  }
  return choiceOf(spelled.map(literal))
}

function typed(place: Place, parts: Parts): Pattern {
  const types = [...typesOf(place.schema)]
  return choiceOf(
    types.map((type) => {
      const pattern = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
      if (pattern !== undefined) return pattern(place, parts)
      throw badSchema(
        `type must be one of ${Object.keys(TYPES).join(', ')}, got ${excerpt(type)}`,
        place.at,
        'Name one of these.',
      )
    }),
  )
}

function branchesOf({ schema, at }: Place, keyword: string): Place[] {
  const branches = schema[keyword]
  if (!Array.isArray(branches)) throw badSchema(`${keyword} must be a list of schemas`, at, 'List them.')
  return branches.map((branch, i) => placeOf(branch, `${at}/${keyword}/${i}`))
}

function requireDisjoint(overlap: readonly [Place, Place] | undefined, at: string): void {
  if (overlap === undefined) return
  const [first, second] = overlap.map((place) => shortened(place.at))
  throw badSchema(
    `of oneOf only one may hold, and a value may fit both ${first} and ${second}`,
    at,
    'Write `anyOf`, or require a property with another `const` in each.',
  )
}

/** What a part of a schema costs, in steps and bytes of the budget, before its texts are counted. */
const [STEPS_PER_PART, BYTES_PER_PART] = [500, 800]

/** Patterns of definitions, each made once for the definitions that it stands within. */
function definitions(root: Schema, recursionDepth: number, budget: Budget) {
  const open: string[] = []
  const numbers = new Map<string, number>()
  const known = new Map<string, Pattern>()
  const numberOf = (at: string): number => {
    const number = numbers.get(at) ?? numbers.size
    numbers.set(at, number)
    return number
  }
  return (place: Place, patternOf: Parts['patternOf']): Pattern => {
    const target = resolveReference(root, place, budget)
    const within = open.filter((at) => at === target.at).length
    if (within > recursionDepth) {
      if (recursionDepth > 0) return NOTHING
      throw badSchema(
        `${shortened(target.at)} occurs within itself`,
        place.at,
        'Say how often it may: `{ recursionDepth: 3 }`.',
      )
    }
    const name = [numberOf(target.at), ...open.map(numberOf).sort()].join()
    budget.spend(50 * open.length)
    open.push(target.at)
    const pattern = known.get(name) ?? patternOf(target)
    budget.hold(2 * name.length)
    known.set(name, pattern)
    open.pop()
    return pattern
  }
}

/**
 * The JSON texts of a schema, in one spelling: that of `JSON.stringify` (but for the spacing), with the properties in the
 * order in which the schema names them, and no others.
 * @throws AttuneError `BAD_SCHEMA`, `BAD_PATTERN`, `PATTERN_TOO_LARGE`
 */
export function schemaPattern(
  root: Schema,
  { spaces = false, recursionDepth = 0 }: SchemaOptions,
  budget: Budget,
): Pattern {
  const referred = definitions(root, recursionDepth, budget)
  const overlapIn = disjointness(root, budget)
  let depth = 0
  const decided = (place: Place): Pattern => {
    const keyword = decisive(place)
    if (keyword === '$ref') return referred(place, patternOf)
    if (keyword === 'const' || keyword === 'enum') return listed(place, parts)
    if (keyword === 'type') return typed(place, parts)
    const branches = branchesOf(place, keyword)
    if (keyword === 'oneOf') requireDisjoint(overlapIn(branches), place.at)
    return choiceOf(branches.map(patternOf))
  }
  const patternOf = (place: Place): Pattern => {
    if (depth > DEEPEST) throw badSchema(`schemas may be nested ${DEEPEST} deep at most`, place.at, 'Flatten it.')
    budget.spend(STEPS_PER_PART)
    budget.hold(BYTES_PER_PART)
    depth++
    const pattern = decided(place)
    depth--
    return pattern
  }
  const spacing: Spacing = spaces ? { comma: ', ', colon: ': ' } : { comma: ',', colon: ':' }
  const parts: Parts = { spacing, patternOf, budget, texts: new Map(), spelled: new Map() }
  return patternOf(placeOf(root, '#'))
}
