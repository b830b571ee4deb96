import { parseJson } from '@attune/core'

/** A number that Python's `json` module writes and JSON does not have. */
const NUMBER = /-?\bInfinity\b|\bNaN\b/g

/** Replaces text outside of the strings of a JSON text, in linear time. */
function replaceOutsideStrings(text: string, replace: (part: string) => string): string {
  const parts: string[] = []
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at)
    const begin = quote < 0 ? text.length : quote
    parts.push(replace(text.slice(at, begin)))
    at = begin + 1
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    parts.push(text.slice(begin, ++at))
  }
  return parts.join('')
}

/** Returns a JSON value with a string replaced by NaN. */
function withNaN(value: unknown, mark: string): unknown {
  if (value === mark) return NaN
  if (Array.isArray(value)) return value.map((each) => withNaN(each, mark))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withNaN(each, mark)]))
}

/** A string that a text does not contain. */
function unusedString(text: string): string {
  let longest = 0
  for (const [run] of text.matchAll(/N+/g)) longest = Math.max(longest, run.length)
  return 'N'.repeat(longest + 1)
}

/**
 * Parses untrusted JSON as Python's `json` module writes it: with the numbers `Infinity`, `-Infinity` and `NaN`. Nesting is bounded.
 * @throws SyntaxError for text that is neither
 */
export function parsePythonJson(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (text.search(NUMBER) < 0) throw error
    const mark = unusedString(text)
    // 1e999 is Infinity in JSON.
    const written = (number: string): string =>
      number === 'NaN' ? `"${mark}"` : number === 'Infinity' ? '1e999' : '-1e999'
    const value = parseJson(replaceOutsideStrings(text, (part) => part.replace(NUMBER, written)))
    return withNaN(value, mark)
  }
}
