import type { Budget } from '@attune/core'
import { type Place, type Schema, placeOf, resolveReference } from './schema.js'

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** The values that a schema lists; `undefined` where it lists none. */
function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema['const']]
  return Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : undefined
}

/** The types that a schema admits at most; `undefined` where that is not to be seen. */
function typesOf(schema: Schema): readonly string[] | undefined {
  const values = valuesOf(schema)
  if (values !== undefined) return values.map(typeOf)
  const types = [schema['type']].flat()
  if (!types.every((type) => typeof type === 'string')) return undefined
  return types.map((type) => (type === 'integer' ? 'number' : type))
}

/** What is compared of a schema, worked out once. */
interface Traits {
  readonly types: ReadonlySet<string> | undefined
  /** The JSON of the values that it lists. */
  readonly values: ReadonlySet<string> | undefined
  /** The schemas of properties that an object must have. */
  readonly required: ReadonlyMap<string, Place>
}

const setOf = <T>(items: readonly T[] | undefined): ReadonlySet<T> | undefined =>
  items === undefined ? undefined : new Set(items)

function requiredOf({ schema, at }: Place): ReadonlyMap<string, Place> {
  const properties = placeOf(schema['properties'] ?? {}, at).schema
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : []
  return new Map(
    required
      .filter((name) => Object.hasOwn(properties, name))
      .map((name) => [name, placeOf(properties[name], `${at}/properties/${name}`)]),
  )
}

function traitsOf(place: Place, budget: Budget): Traits {
  const { schema } = place
  const values = valuesOf(schema)?.map((value) => JSON.stringify(value) ?? '')
  const isObject = schema['type'] === 'object' && values === undefined
  const required = isObject ? requiredOf(place) : new Map<string, Place>()
  const listed = Array.isArray(schema['required']) ? schema['required'].length : 0
  budget.spend((values ?? []).reduce((sum, { length }) => sum + 20 + length, 100) + 50 * listed)
  return { types: setOf(typesOf(schema)), values: setOf(values), required }
}

/** True if two sets share an element, or one of them is not known. */
function share(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined, budget: Budget): boolean {
  if (a === undefined || b === undefined) return true
  const [fewer, more] = a.size < b.size ? [a, b] : [b, a]
  budget.spend(10 * fewer.size)
  for (const each of fewer) if (more.has(each)) return true
  return false
}

/**
 * Makes the function that finds two schemas that cannot be seen to have no value in common: by their types, by the values that
 * they list, or by a property that both require and of which the same can be seen.
 */
export function disjointness(root: Schema, budget: Budget) {
  const known = new Map<Schema, Traits>()
  const traits = (place: Place): Traits => {
    const found = known.get(place.schema) ?? traitsOf(place, budget)
    known.set(place.schema, found)
    return found
  }
  const areDisjoint = (first: Place, second: Place, depth: number): boolean => {
    budget.spend(60)
    if (depth > 20) return false
    if (first.schema['$ref'] !== undefined) return areDisjoint(resolveReference(root, first, budget), second, depth + 1)
    if (second.schema['$ref'] !== undefined)
      return areDisjoint(first, resolveReference(root, second, budget), depth + 1)
    const [a, b] = [traits(first), traits(second)]
    if (!share(a.types, b.types, budget) || !share(a.values, b.values, budget)) return true
    for (const [name, place] of a.required) {
      const other = b.required.get(name)
      if (other !== undefined && areDisjoint(place, other, depth + 1)) return true
    }
    return false
  }
  /** True if all schemas list values, and none of them twice. */
  const listApart = (places: readonly Place[]): boolean => {
    const seen = new Set<string>()
    return places.every((place) => {
      const values = place.schema['$ref'] === undefined ? traits(place).values : undefined
      const before = seen.size
      for (const value of values ?? []) seen.add(value)
      return values !== undefined && seen.size === before + values.size
    })
  }
  return (places: readonly Place[]): readonly [Place, Place] | undefined => {
    if (listApart(places)) return undefined
    for (const [i, first] of places.entries())
      for (let j = i + 1; j < places.length; j++) if (!areDisjoint(first, places[j]!, 0)) return [first, places[j]!]
    return undefined
  }
}
