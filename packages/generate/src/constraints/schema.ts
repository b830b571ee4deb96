import { AttuneError, shortened } from '@attune/core'

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
