import type { Budget } from '@attune/core'
import { conjunctOf } from './conjunct.js'
import type { NormalForm } from './normal-form-types.js'
import type { Subschema, Schema } from './schema.js'
import { canonical } from './terms.js'

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** Values that a schema lists; `undefined` if it lists none. */
function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema['const']]
  return Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : undefined
}

/** JSON types that a schema admits at most; `undefined` if unknown. */
function typesOf(schema: Schema): readonly string[] | undefined {
  const values = valuesOf(schema)
  if (values !== undefined) return values.map(typeOf)
  const types = [schema['type']].flat()
  if (!types.every((type) => typeof type === 'string')) return undefined
  return types.map((type) => (type === 'integer' ? 'number' : type))
}

/** Properties of a schema used for comparison, computed once. */
interface Traits {
  readonly types: ReadonlySet<string> | undefined
  /** JSON of the listed values. */
  readonly values: ReadonlySet<string> | undefined
  /** Schemas of the required properties of an object. */
  readonly required: ReadonlyMap<string, Subschema>
}

const setOf = <T>(items: readonly T[] | undefined): ReadonlySet<T> | undefined =>
  items === undefined ? undefined : new Set(items)

function requiredOf({ schema, at }: Subschema): ReadonlyMap<string, Subschema> {
  const properties = conjunctOf(schema['properties'] ?? {}, at).schema
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : []
  return new Map(
    required
      .filter((name) => Object.hasOwn(properties, name))
      .map((name) => [name, conjunctOf(properties[name], `${at}/properties/${name}`)]),
  )
}

function traitsOf(subschema: Subschema, budget: Budget): Traits {
  const { schema } = subschema
  const values = valuesOf(schema)?.map(canonical)
  const isObject = schema['type'] === 'object' && values === undefined
  const required = isObject ? requiredOf(subschema) : new Map<string, Subschema>()
  const listed = Array.isArray(schema['required']) ? schema['required'].length : 0
  budget.spend((values ?? []).reduce((sum, { length }) => sum + 20 + length, 100) + 50 * listed)
  return { types: setOf(typesOf(schema)), values: setOf(values), required }
}

/** True if two sets share an element, or one of them is unknown. */
function overlap(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined, budget: Budget): boolean {
  if (a === undefined || b === undefined) return true
  const [fewer, more] = a.size < b.size ? [a, b] : [b, a]
  budget.spend(10 * fewer.size)
  for (const each of fewer) if (more.has(each)) return true
  return false
}

/**
 * Returns quick tests of schemas. Schemas are disjoint by their types, their listed values, or a property that both require and
 * whose schemas are disjoint.
 */
export function disjointness({ resolve, budget }: Pick<NormalForm, 'resolve' | 'budget'>) {
  const known = new Map<Schema, Traits>()
  const traits = (subschema: Subschema): Traits => {
    const found = known.get(subschema.schema) ?? traitsOf(subschema, budget)
    known.set(subschema.schema, found)
    return found
  }
  const target = ({ schema, at }: Subschema): Subschema => {
    const found = resolve(schema['$ref'], { schema, at })
    return conjunctOf(found.schema, found.at)
  }
  const areDisjoint = (first: Subschema, second: Subschema, depth = 0): boolean => {
    budget.spend(60)
    if (depth > 20) return false
    if (first.schema['$ref'] !== undefined) return areDisjoint(target(first), second, depth + 1)
    if (second.schema['$ref'] !== undefined) return areDisjoint(first, target(second), depth + 1)
    const [a, b] = [traits(first), traits(second)]
    if (!overlap(a.types, b.types, budget) || !overlap(a.values, b.values, budget)) return true
    for (const [name, subschema] of a.required) {
      const other = b.required.get(name)
      if (other !== undefined && areDisjoint(subschema, other, depth + 1)) return true
    }
    return false
  }
  /** True if all schemas list values, and no value occurs twice. */
  const listApart = (subschemas: readonly Subschema[]): boolean => {
    const seen = new Set<string>()
    return subschemas.every((subschema) => {
      const values = subschema.schema['$ref'] === undefined ? traits(subschema).values : undefined
      const before = seen.size
      for (const value of values ?? []) seen.add(value)
      return values !== undefined && seen.size === before + values.size
    })
  }
  return { areDisjoint, listApart }
}
