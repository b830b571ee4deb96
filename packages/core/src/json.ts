/** True for an object that is not null and not an array. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Default nesting limit of arrays and objects, well above the needs of all formats that Attune reads. */
const MAXIMUM_DEPTH = 128

const [QUOTE, BACKSLASH, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [34, 92, 91, 93, 123, 125]

/** Returns the nesting depth of a JSON text; counting stops at `limit + 1`. */
function depthOf(text: string, limit: number): number {
  let [depth, deepest] = [0, 0]
  for (let at = 0; at < text.length && deepest <= limit; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++
    } else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) deepest = Math.max(deepest, ++depth)
    else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--
  }
  return deepest
}

/** True if a text has enough opening brackets, in strings or not, to exceed a nesting depth of `limit`. */
function mayBeDeeper(text: string, limit: number): boolean {
  if (text.length <= 2 * limit) return false
  let found = 1
  for (let at = text.indexOf('{', 1); at > 0 && found <= limit; at = text.indexOf('{', at + 1)) found++
  for (let at = text.indexOf('[', 1); at > 0 && found <= limit; at = text.indexOf('[', at + 1)) found++
  return found > limit
}

/**
 * Parses untrusted JSON with a nesting limit. `JSON.parse` itself accepts any depth, but recursive code that later walks the value
 * would overflow the stack. The depth is checked before parsing.
 * @param maximumDepth maximum nesting of arrays and objects; default 128
 * @throws SyntaxError for invalid JSON or excessive nesting
 *
 * @example
 * ```ts
 * import { parseJson } from '@attune/core'
 * console.log(parseJson('{"a":[1,2]}')) // { a: [ 1, 2 ] }
 * ```
 */
export function parseJson(text: string, maximumDepth: number = MAXIMUM_DEPTH): unknown {
  if (mayBeDeeper(text, maximumDepth) && depthOf(text, maximumDepth) > maximumDepth)
    throw new SyntaxError(`arrays and objects are nested more than ${maximumDepth} deep`)
  return JSON.parse(text) as unknown
}
