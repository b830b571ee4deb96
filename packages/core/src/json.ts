/** A value that is an object with fields: not null, not an array. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Deepest nesting of arrays and objects that any format read here needs, with room to spare. */
const MAXIMUM_DEPTH = 128

const [QUOTE, BACKSLASH, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [34, 92, 91, 93, 123, 125]

/** Depth of the nesting in a JSON text, counted no further than one beyond `most`. */
function depthOf(text: string, most: number): number {
  let [depth, deepest] = [0, 0]
  for (let at = 0; at < text.length && deepest <= most; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++
    } else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) deepest = Math.max(deepest, ++depth)
    else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--
  }
  return deepest
}

/** True if a text has so many opening brackets, in strings or not, that it may be nested beyond `most`. */
function mayBeDeeper(text: string, most: number): boolean {
  if (text.length <= 2 * most) return false
  let found = 1
  for (let at = text.indexOf('{', 1); at > 0 && found <= most; at = text.indexOf('{', at + 1)) found++
  for (let at = text.indexOf('[', 1); at > 0 && found <= most; at = text.indexOf('[', at + 1)) found++
  return found > most
}

/**
 * Parses JSON that comes from outside. `JSON.parse` reads any nesting, and whatever walks the value afterwards by recursion
 * overflows the stack; so nesting beyond `maximumDepth` is refused before anything is made of it.
 * @param maximumDepth arrays and objects inside each other; default 128
 * @throws SyntaxError for text that is not JSON, or is nested more deeply
 *
 * @example
 * parseJson('{"a":[1,2]}') // { a: [1, 2] }
 */
export function parseJson(text: string, maximumDepth: number = MAXIMUM_DEPTH): unknown {
  if (mayBeDeeper(text, maximumDepth) && depthOf(text, maximumDepth) > maximumDepth)
    throw new SyntaxError(`arrays and objects are nested more than ${maximumDepth} deep`)
  return JSON.parse(text) as unknown
}
