import { z } from 'zod'
import { excerpt, shortened } from './excerpt.js'
import { nearest } from './nearest.js'

/** Returns the location of a value in its file, such as `config.yaml:14`; undefined for input that is not from a file. */
export type Locate = (path: readonly PropertyKey[]) => string | undefined

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((node, part) => (node as Record<PropertyKey, unknown> | undefined)?.[part], input)

/** Returns the inner schema of an optional schema or one with a default; any other schema unchanged. */
export const unwrapOnce = (schema: unknown): unknown =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? schema.unwrap()
    : schema

const unwrap = (schema: unknown): unknown => {
  const inner = unwrapOnce(schema)
  return inner === schema ? schema : unwrap(inner)
}

/** Returns the metadata of a schema, or of the one that it wraps, under `key`: `.meta({ path: true })`. */
export function metaOf(schema: unknown, key: string): unknown {
  const inner = unwrapOnce(schema)
  return (schema as z.ZodType | undefined)?.meta()?.[key] ?? (inner === schema ? undefined : metaOf(inner, key))
}

/** Returns the keys of the object schema at a path; empty if there is no object. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const here = unwrap(schema)
  if (here instanceof z.ZodArray && path.length > 0) return keysAt(here.element, path.slice(1))
  if (!(here instanceof z.ZodObject)) return []
  const [first, ...rest] = path
  return first === undefined ? Object.keys(here.shape) : keysAt(here.shape[String(first)], rest)
}

/** Maximum number of characters of a name in a message; option names and paths are shorter. */
const MAXIMUM_NAME = 200

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  const hint =
    near.length > 0 ? `did you mean ${near.map((name) => `\`${name}\``).join(' or ')}?` : `known: ${known.join(', ')}`
  return `unknown \`${shortened(key, MAXIMUM_NAME)}\` (${hint})`
}

/** Maximum number of issues in a message; a malicious file may cause any number of them. */
const MAXIMUM_REPORTED = 20

/**
 * Describes the first issues of a schema, one per line: the value, the expectation, the actual value, and the location. Unknown
 * keys are listed with the nearest known ones. The last line counts the issues that are not listed.
 */
export function describeIssues(
  schema: unknown,
  error: z.ZodError,
  input: unknown,
  base: readonly PropertyKey[] = [],
  locate: Locate = () => undefined,
): string[] {
  const all = error.issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
  const lines = error.issues.slice(0, MAXIMUM_REPORTED).flatMap((issue) => {
    const at = (path: readonly PropertyKey[]): string => {
      const location = locate([...base, ...path])
      return location === undefined ? '' : ` (${location})`
    }
    const parts = [...base, ...issue.path].map((part) => shortened(String(part), MAXIMUM_NAME))
    const name = shortened(parts.join('.'), MAXIMUM_NAME)
    if (issue.code === 'unrecognized_keys') {
      const unknown = (key: string): string => unknownKey(key, keysAt(schema, issue.path)) + at([...issue.path, key])
      return issue.keys.slice(0, MAXIMUM_REPORTED).map((key) => (name && `${name}: `) + unknown(key))
    }
    // "Invalid input: expected number, received string" of zod states twice what was received.
    const wanted = issue.message.replace(/^[A-Z][\w ]*: (?=expected)|, received \w+$/g, '')
    return [`${name && `\`${name}\`: `}${wanted}, got ${excerpt(valueAt(input, issue.path))}${at(issue.path)}`]
  })
  const reported = lines.slice(0, MAXIMUM_REPORTED)
  return all > reported.length ? [...reported, `and ${all - reported.length} more`] : reported
}
