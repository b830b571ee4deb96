import { AttuneError, type Budget, excerpt, isRecord, shortened } from '@attune/core'

/** A JSON Schema: an object of keywords. */
export type Schema = Readonly<Record<string, unknown>>

/** A part of a schema, and its JSON pointer. */
export interface Place {
  readonly schema: Schema
  readonly at: string
}

/** The error for a part of a schema that cannot be followed. */
export const badSchema = (problem: string, at: string, remedy: string): AttuneError =>
  new AttuneError('BAD_SCHEMA', `${problem}, at ${at === '' ? '#' : shortened(at, 200)} of the schema`, remedy)

/** Deeper than any schema: what is made of its values is made by recursion. */
const DEEPEST = 500

/**
 * The size of a schema as JSON, roughly, in bytes. A part that stands in several places, as only code can make it, counts once.
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
    if (depth > DEEPEST) throw badSchema(`values may be nested ${DEEPEST} deep at most`, '#', 'Flatten it.')
    seen.add(value)
    for (const [name, inner] of Object.entries(value)) {
      size += name.length + 3
      waiting.push({ value: inner, depth: depth + 1 })
    }
  }
  return size
}

/**
 * A part of a schema as a schema of its own.
 * @throws AttuneError `BAD_SCHEMA` unless it is an object
 */
export function placeOf(value: unknown, at: string): Place {
  if (isRecord(value)) return { schema: value, at }
  throw badSchema(`a schema must be an object, got ${excerpt(value)}`, at, 'Say what the value is: `{ "type": … }`.')
}

/**
 * The whole numbers, from 0, of a pair of keywords for the least and the most.
 * @throws AttuneError `BAD_SCHEMA`
 */
export function countsOf({ schema, at }: Place, least: string, most: string): readonly [least: number, most: number] {
  const count = (keyword: string, otherwise: number): number => {
    const value = schema[keyword] ?? otherwise
    if (value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number
    throw badSchema(`${keyword} must be a whole number from 0, got ${excerpt(value)}`, at, 'Give such a number.')
  }
  return [count(least, 0), count(most, Infinity)]
}

/** A step of a JSON pointer in an address (RFC 6901, sections 4 and 6), with single bytes escaped at most. */
const unescaped = (step: string): string =>
  step
    .replaceAll(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replaceAll('~1', '/')
    .replaceAll('~0', '~')

/**
 * The part that a `$ref` names in the schema `root`.
 * @throws AttuneError `BAD_SCHEMA` for one that leads nowhere, or out of the schema
 */
export function resolveReference(root: Schema, { schema, at }: Place, budget: Budget): Place {
  const reference = schema['$ref']
  if (typeof reference !== 'string')
    throw badSchema(`$ref must be a text, got ${excerpt(reference)}`, at, 'Put it under `$defs`.')
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
  throw badSchema(`$ref must name a part of this schema, got ${excerpt(reference)}`, at, 'Put it under `$defs`.')
}
