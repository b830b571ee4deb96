import { AttuneError, type Budget, excerpt, isRecord, shortened } from '@attune/core'

/** A JSON Schema: an object of keywords. */
export type Schema = Readonly<Record<string, unknown>>

/** A subschema and its JSON pointer. */
export interface Subschema {
  readonly schema: Schema
  readonly at: string
}

/** Error for an invalid or unsupported part of a schema. */
export const badSchema = (problem: string, at: string, remedy: string): AttuneError =>
  new AttuneError('BAD_SCHEMA', `${problem}, at ${at === '' ? '#' : shortened(at, 200)} of the schema`, remedy)

/** Deeper than any real schema: values are converted recursively. */
const MAX_DEPTH = 500

/**
 * Approximate size of a schema as JSON, in bytes. An object referenced several times counts once.
 * @throws AttuneError `BAD_SCHEMA` for values that are nested too deeply
 */
export function sizeOf(schema: Schema): number {
  const seen = new Set<object>()
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value: schema, depth: 0 }]
  let size = 0
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    const { value, depth } = each
    size += typeof value === 'string' ? value.length + 2 : 4
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    if (depth > MAX_DEPTH) throw badSchema(`values may be nested at most ${MAX_DEPTH} deep`, '#', 'Flatten it.')
    seen.add(value)
    for (const [name, inner] of Object.entries(value)) {
      size += name.length + 3
      waiting.push({ value: inner, depth: depth + 1 })
    }
  }
  return size
}

/**
 * Returns a value as a subschema.
 * @throws AttuneError `BAD_SCHEMA` unless it is an object
 */
export function subschemaOf(value: unknown, at: string): Subschema {
  if (isRecord(value)) return { schema: value, at }
  throw badSchema(`a schema must be an object, got ${excerpt(value)}`, at, 'Define the value: `{ "type": … }`.')
}

/**
 * Reads a pair of keywords for a minimum and a maximum count, both non-negative integers.
 * @throws AttuneError `BAD_SCHEMA`
 */
export function countsOf(
  { schema, at }: Subschema,
  minimum: string,
  maximum: string,
): readonly [min: number, max: number] {
  const count = (keyword: string, otherwise: number): number => {
    const value = schema[keyword] ?? otherwise
    if (value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number
    throw badSchema(`${keyword} must be a non-negative integer, got ${excerpt(value)}`, at, 'Use such a number.')
  }
  return [count(minimum, 0), count(maximum, Infinity)]
}

/** Unescapes a step of a JSON pointer in a URI fragment (RFC 6901, sections 4 and 6); percent-escapes of ASCII only. */
const unescaped = (step: string): string =>
  step
    .replaceAll(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')

/**
 * Resolves the `$ref` of a subschema within `root`.
 * @throws AttuneError `BAD_SCHEMA` if the target does not exist or is outside the schema
 */
export function resolveReference(root: Schema, { schema, at }: Subschema, budget: Budget): Subschema {
  const reference = schema['$ref']
  if (typeof reference !== 'string')
    throw badSchema(`$ref must be a string, got ${excerpt(reference)}`, at, 'Put the target under `$defs`.')
  budget.spend(100 + 30 * reference.length)
  const steps = reference.split('/').slice(1)
  const found = steps
    .map(unescaped)
    .reduce<unknown>(
      (node, step) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, step) ? (node as Schema)[step] : undefined,
      root,
    )
  if (/^#(?:\/|$)/.test(reference) && isRecord(found)) return { schema: found, at: reference }
  throw badSchema(
    `$ref must point to a part of this schema, got ${excerpt(reference)}`,
    at,
    'Put the target under `$defs`.',
  )
}
