import { areDisjoint } from './disjoint-schemas.js'
import { type Spacing, jsonText } from './json-text.js'
import { NOTHING, type Pattern, choice, literal } from './pattern.js'
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
        `the keyword ${name} is not supported beside ${keyword}`,
        at,
        'Leave it out, or say it otherwise.',
      )
  return keyword
}

const hasType = (type: unknown, value: unknown): boolean => {
  const own = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return [type].flat().some((each) => each === own || (each === 'integer' && Number.isInteger(value)))
}

function listed({ schema, at }: Place, spacing: Spacing): Pattern {
  const choices = Object.hasOwn(schema, 'enum') ? schema['enum'] : [schema['const']]
  if (!Array.isArray(choices)) throw badSchema('enum must be a list', at, 'List the values.')
  const only = Object.hasOwn(schema, 'const') ? jsonText(schema['const'], spacing) : undefined
  const spelled = choices
    .filter((value) => schema['type'] === undefined || hasType(schema['type'], value))
    .map((value: unknown) => jsonText(value, spacing))
    .filter((text) => only === undefined || text === only)
  return choice(...spelled.map(literal))
}

function typed(place: Place, parts: Parts): Pattern {
  const types = [place.schema['type']].flat()
  return choice(
    ...types.map((type) => {
      const pattern = Object.hasOwn(TYPES, String(type)) ? TYPES[String(type)] : undefined
      if (pattern !== undefined) return pattern(place, parts)
      throw badSchema(
        `type must be one of ${Object.keys(TYPES).join(', ')}, got ${JSON.stringify(type)}`,
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

function requireDisjoint(root: Schema, branches: readonly Place[], at: string): void {
  branches.forEach((first, i) => {
    for (const second of branches.slice(i + 1))
      if (!areDisjoint(root, first, second))
        throw badSchema(
          `of oneOf only one may hold, and a value may fit both ${first.at} and ${second.at}`,
          at,
          'Write `anyOf`, or require a property with another `const` in each.',
        )
  })
}

/**
 * The JSON texts of a schema, in one spelling: that of `JSON.stringify` (but for the spacing), with the properties in the
 * order in which the schema names them, and no others.
 * @throws AttuneError `BAD_SCHEMA`, `BAD_PATTERN`
 */
export function schemaPattern(root: Schema, { spaces = false, recursionDepth = 0 }: SchemaOptions = {}): Pattern {
  const spacing = spaces ? { comma: ', ', colon: ': ' } : { comma: ',', colon: ':' }
  const open: string[] = []
  const known = new Map<string, Pattern>()
  let depth = 0
  const referred = (place: Place): Pattern => {
    const target = resolveReference(root, place)
    const within = open.filter((at) => at === target.at).length
    if (within > recursionDepth) {
      if (recursionDepth > 0) return NOTHING
      throw badSchema(`${target.at} occurs within itself`, place.at, 'Say how often it may: `{ recursionDepth: 3 }`.')
    }
    const name = [target.at, ...[...open].sort()].join('\n')
    open.push(target.at)
    const pattern = known.get(name) ?? patternOf(target)
    known.set(name, pattern)
    open.pop()
    return pattern
  }
  const decided = (place: Place): Pattern => {
    const keyword = decisive(place)
    if (keyword === '$ref') return referred(place)
    if (keyword === 'const' || keyword === 'enum') return listed(place, spacing)
    if (keyword === 'type') return typed(place, { spacing, patternOf })
    const branches = branchesOf(place, keyword)
    if (keyword === 'oneOf') requireDisjoint(root, branches, place.at)
    return choice(...branches.map(patternOf))
  }
  const patternOf = (place: Place): Pattern => {
    if (depth > DEEPEST) throw badSchema(`schemas may be nested ${DEEPEST} deep at most`, place.at, 'Flatten it.')
    depth++
    const pattern = decided(place)
    depth--
    return pattern
  }
  return patternOf(placeOf(root, '#'))
}
