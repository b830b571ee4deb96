import { AttuneError } from '@attune/core'

/** A JSON Schema: an object of keywords. */
export type Schema = Readonly<Record<string, unknown>>

/** A part of a schema, and its JSON pointer. */
export interface Place {
  readonly schema: Schema
  readonly at: string
}

/** The error for a part of a schema that cannot be followed. */
export const badSchema = (problem: string, at: string, remedy: string): AttuneError =>
  new AttuneError('BAD_SCHEMA', `${problem}, at ${at === '' ? '#' : at} of the schema`, remedy)

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A part of a schema as a schema of its own.
 * @throws AttuneError `BAD_SCHEMA` unless it is an object
 */
export function placeOf(value: unknown, at: string): Place {
  if (isObject(value)) return { schema: value, at }
  throw badSchema(
    `a schema must be an object, got ${JSON.stringify(value) ?? 'nothing'}`,
    at,
    'Say what the value is: `{ "type": … }`.',
  )
}

/**
 * The whole numbers, from 0, of a pair of keywords for the least and the most.
 * @throws AttuneError `BAD_SCHEMA`
 */
export function countsOf({ schema, at }: Place, least: string, most: string): readonly [least: number, most: number] {
  const count = (keyword: string, otherwise: number): number => {
    const value = schema[keyword] ?? otherwise
    if (value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number
    throw badSchema(`${keyword} must be a whole number from 0, got ${JSON.stringify(value)}`, at, 'Give such a number.')
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
export function resolveReference(root: Schema, { schema, at }: Place): Place {
  const reference = String(schema['$ref'])
  const steps = reference.split('/').slice(1)
  const found = steps
    .map(unescaped)
    .reduce<unknown>(
      (node, step) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, step) ? (node as Schema)[step] : undefined,
      root,
    )
  if (/^#(?:\/|$)/.test(reference) && isObject(found)) return { schema: found, at: reference }
  throw badSchema(`$ref must name a part of this schema, got ${JSON.stringify(reference)}`, at, 'Put it under `$defs`.')
}
