import { z } from 'zod'
import { excerpt, shortened } from './excerpt.js'
import { nearest } from './nearest.js'

/** Where a value of the input stands in the file it came from, as in `config.yaml:14`; nothing if it has no file. */
export type Locate = (path: readonly PropertyKey[]) => string | undefined

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((node, part) => (node as Record<PropertyKey, unknown> | undefined)?.[part], input)

/** What an optional schema, or one with a default, is made of; any other schema itself. */
export const unwrapOnce = (schema: unknown): unknown =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? schema.unwrap()
    : schema

const unwrap = (schema: unknown): unknown => {
  const inner = unwrapOnce(schema)
  return inner === schema ? schema : unwrap(inner)
}

/** The value under `key` in the metadata of a schema, or of one that it wraps: `.meta({ path: true })`. */
export function metaOf(schema: unknown, key: string): unknown {
  const inner = unwrapOnce(schema)
  return (schema as z.ZodType | undefined)?.meta()?.[key] ?? (inner === schema ? undefined : metaOf(inner, key))
}

/** The names that an object schema knows at a path; none where there is no object. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const here = unwrap(schema)
  if (here instanceof z.ZodArray && path.length > 0) return keysAt(here.element, path.slice(1))
  if (!(here instanceof z.ZodObject)) return []
  const [first, ...rest] = path
  return first === undefined ? Object.keys(here.shape) : keysAt(here.shape[String(first)], rest)
}

/** Characters of a name that are shown: more than any option's name or place has. */
const NAME = 200

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  const hint =
    near.length > 0 ? `did you mean ${near.map((name) => `\`${name}\``).join(' or ')}?` : `known: ${known.join(', ')}`
  return `unknown \`${shortened(key, NAME)}\` (${hint})`
}

/** Mistakes that are told one by one: a hostile file can have any number of them. */
const TOLD = 20

/**
 * One line for each of the first issues that a schema found: which value, what must hold, what was given, and where. An
 * unknown key comes with the known ones nearest to it. The last line counts those that are not told.
 */
export function describeIssues(
  schema: unknown,
  error: z.ZodError,
  input: unknown,
  base: readonly PropertyKey[] = [],
  locate: Locate = () => undefined,
): string[] {
  const all = error.issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0)
  const lines = error.issues.slice(0, TOLD).flatMap((issue) => {
    const at = (path: readonly PropertyKey[]): string => {
      const place = locate([...base, ...path])
      return place === undefined ? '' : ` (${place})`
    }
    const name = shortened([...base, ...issue.path].map((part) => shortened(String(part), NAME)).join('.'), NAME)
    if (issue.code === 'unrecognized_keys')
      return issue.keys
        .slice(0, TOLD)
        .map(
          (key) =>
            `${name === '' ? '' : `${name}: `}${unknownKey(key, keysAt(schema, issue.path))}${at([...issue.path, key])}`,
        )
    const value = excerpt(valueAt(input, issue.path))
    return [`${name === '' ? '' : `\`${name}\`: `}${issue.message}, got ${value}${at(issue.path)}`]
  })
  const told = lines.slice(0, TOLD)
  return all > told.length ? [...told, `and ${all - told.length} more`] : told
}
