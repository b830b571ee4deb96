import { type Budget, excerpt, shortened } from '@attune/core'
import { disjointness } from './disjoint-schemas.js'
import { type Spacing, jsonText } from './json-text.js'
import { NOTHING, type Pattern, choiceOf, literal } from './pattern.js'
import { type Subschema, type Schema, badSchema, subschemaOf, resolveReference } from './schema.js'
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
/** Keywords that define a schema's values, and the keywords allowed together with each. */
const KEYWORDS: readonly (readonly [keyword: string, allowed: readonly string[]])[] = [
  ['$ref', []],
  ['const', ['type', 'enum']],
  ['enum', ['type']],
  ['anyOf', []],
  ['oneOf', []],
  ['type', OF_TYPES],
]
const MAX_DEPTH = 200

/** Options of {@link constrainToSchema}. */
export interface SchemaOptions {
  /** True for one space after each colon and comma. Default: no white space. */
  readonly spaces?: boolean
  /** Maximum number of times a definition may occur within itself. Default: 0, which rejects recursive schemas. */
  readonly recursionDepth?: number
}

/** Returns the keyword that defines a schema's values; rejects unsupported keywords. */
function definingKeyword({ schema, at }: Subschema): string {
  const found = KEYWORDS.find(([keyword]) => Object.hasOwn(schema, keyword))
  if (found === undefined)
    throw badSchema('a schema must define its value', at, 'Add `type`, `enum`, `const`, `anyOf` or `$ref`.')
  const [keyword, allowed] = found
  for (const name of Object.keys(schema))
    if (name !== keyword && !allowed.includes(name) && !ANNOTATIONS.includes(name))
      throw badSchema(
        `the keyword ${shortened(name)} is not supported together with ${keyword}`,
        at,
        'Remove it, or express it with supported keywords.',
      )
  return keyword
}

/** Distinct types that a schema names. */
const typesOf = (schema: Schema): ReadonlySet<unknown> => new Set([schema['type']].flat())

const hasType = (types: ReadonlySet<unknown>, value: unknown): boolean => {
  const own = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return types.has(own) || (types.has('integer') && Number.isInteger(value))
}

function listedValues({ schema, at }: Subschema, { spacing, budget }: Parts): Pattern {
  const choices = Object.hasOwn(schema, 'enum') ? schema['enum'] : [schema['const']]
  if (!Array.isArray(choices)) throw badSchema('enum must be an array', at, 'List the values.')
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

function typedValues(subschema: Subschema, parts: Parts): Pattern {
  const types = [...typesOf(subschema.schema)]
  return choiceOf(
    types.map((type) => {
      const pattern = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
      if (pattern !== undefined) return pattern(subschema, parts)
      throw badSchema(
        `type must be one of ${Object.keys(TYPES).join(', ')}, got ${excerpt(type)}`,
        subschema.at,
        'Use one of these.',
      )
    }),
  )
}

function branchesOf({ schema, at }: Subschema, keyword: string): Subschema[] {
  const branches = schema[keyword]
  if (!Array.isArray(branches)) throw badSchema(`${keyword} must be an array of schemas`, at, 'List the schemas.')
  return branches.map((branch, i) => subschemaOf(branch, `${at}/${keyword}/${i}`))
}

function requireDisjoint(overlap: readonly [Subschema, Subschema] | undefined, at: string): void {
  if (overlap === undefined) return
  const [first, second] = overlap.map((subschema) => shortened(subschema.at))
  throw badSchema(
    `the schemas of oneOf must be disjoint, and a value may be valid under both ${first} and ${second}`,
    at,
    'Use `anyOf`, or require a property with a different `const` in each.',
  )
}

/** Cost of a subschema without its texts, in steps and bytes of the budget. */
const [STEPS_PER_PART, BYTES_PER_PART] = [500, 800]

/** Patterns of `$defs`, each built once for each set of definitions that it is nested in. */
function definitions(root: Schema, recursionDepth: number, budget: Budget) {
  const open: string[] = []
  const numbers = new Map<string, number>()
  const known = new Map<string, Pattern>()
  const numberOf = (at: string): number => {
    const number = numbers.get(at) ?? numbers.size
    numbers.set(at, number)
    return number
  }
  return (subschema: Subschema, patternOf: Parts['patternOf']): Pattern => {
    const target = resolveReference(root, subschema, budget)
    const within = open.filter((at) => at === target.at).length
    if (within > recursionDepth) {
      if (recursionDepth > 0) return NOTHING
      throw badSchema(`${shortened(target.at)} is recursive`, subschema.at, 'Limit the depth: `{ recursionDepth: 3 }`.')
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
 * Pattern of the JSON texts valid under a schema, in one spelling: that of `JSON.stringify` with the given spacing, with the
 * properties in the schema's order, and no others.
 * @throws AttuneError `BAD_SCHEMA`, `BAD_PATTERN`, `PATTERN_TOO_LARGE`
 */
export function schemaPattern(
  root: Schema,
  { spaces = false, recursionDepth = 0 }: SchemaOptions,
  budget: Budget,
): Pattern {
  const referencePattern = definitions(root, recursionDepth, budget)
  const overlapIn = disjointness(root, budget)
  let depth = 0
  const convert = (subschema: Subschema): Pattern => {
    const keyword = definingKeyword(subschema)
    if (keyword === '$ref') return referencePattern(subschema, patternOf)
    if (keyword === 'const' || keyword === 'enum') return listedValues(subschema, parts)
    if (keyword === 'type') return typedValues(subschema, parts)
    const branches = branchesOf(subschema, keyword)
    if (keyword === 'oneOf') requireDisjoint(overlapIn(branches), subschema.at)
    return choiceOf(branches.map(patternOf))
  }
  const patternOf = (subschema: Subschema): Pattern => {
    if (depth > MAX_DEPTH)
      throw badSchema(`schemas may be nested at most ${MAX_DEPTH} deep`, subschema.at, 'Flatten it.')
    budget.spend(STEPS_PER_PART)
    budget.hold(BYTES_PER_PART)
    depth++
    const pattern = convert(subschema)
    depth--
    return pattern
  }
  const spacing: Spacing = spaces ? { comma: ', ', colon: ': ' } : { comma: ',', colon: ':' }
  const parts: Parts = { spacing, patternOf, budget, texts: new Map(), spelled: new Map() }
  return patternOf(subschemaOf(root, '#'))
}
