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
  if (schema['type'] === undefined) return undefined
  return [schema['type']].flat().map((type) => (type === 'integer' ? 'number' : String(type)))
}

function share(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === undefined || b === undefined) return true
  const names = new Set(a.map((value) => JSON.stringify(value)))
  return b.some((value) => names.has(JSON.stringify(value)))
}

/** The schemas of properties that an object must have. */
function requiredOf({ schema, at }: Place): ReadonlyMap<string, Place> {
  const properties = placeOf(schema['properties'] ?? {}, at).schema
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : []
  return new Map(
    required
      .filter((name) => Object.hasOwn(properties, name))
      .map((name) => [name, placeOf(properties[name], `${at}/properties/${name}`)]),
  )
}

/**
 * Whether two schemas can be seen to have no value in common: by their types, by the values that they list, or by a property
 * that both require and of which the same can be seen.
 */
export function areDisjoint(root: Schema, first: Place, second: Place, depth = 0): boolean {
  if (depth > 20) return false
  if (first.schema['$ref'] !== undefined) return areDisjoint(root, resolveReference(root, first), second, depth + 1)
  if (second.schema['$ref'] !== undefined) return areDisjoint(root, first, resolveReference(root, second), depth + 1)
  if (!share(typesOf(first.schema), typesOf(second.schema))) return true
  if (!share(valuesOf(first.schema), valuesOf(second.schema))) return true
  const isObject = ({ schema }: Place): boolean => schema['type'] === 'object' && valuesOf(schema) === undefined
  if (!isObject(first) || !isObject(second)) return false
  const others = requiredOf(second)
  return Array.from(requiredOf(first)).some(([name, place]) => {
    const other = others.get(name)
    return other !== undefined && areDisjoint(root, place, other, depth + 1)
  })
}
