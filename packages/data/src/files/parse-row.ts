import { parseJson } from '@attune/core'

/** True if a JSON value contains an integer that was rounded, because a double cannot hold it. */
function hasRounded(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  if (typeof value !== 'object') return false
  // Faster than `Object.values`, and nothing is inherited in a parsed value.
  for (const key in value) if (hasRounded((value as Readonly<Record<string, unknown>>)[key])) return true
  return false
}

/** An integer in its JSON notation, without fraction and exponent. */
const INTEGER = /(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g

const quotedIfRounded = (digits: string): string => (Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`)

/** Yields the parts of a JSON text that are not strings, and its strings with their quotes, in turn and in linear time. */
function* partsOf(text: string): Generator<string, void> {
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at)
    const begin = quote < 0 ? text.length : quote
    yield text.slice(at, begin)
    at = begin + 1
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    yield text.slice(begin, ++at)
  }
}

/** Quotes the integers of a JSON text that a double cannot hold. */
const quoteIntegers = (text: string): string =>
  Array.from(partsOf(text), (part, i) => (i % 2 === 0 ? part.replace(INTEGER, quotedIfRounded) : part)).join('')

/**
 * Parses a row of untrusted JSON. Integers beyond 2^53 − 1, such as ids of messages, become strings of their digits: as numbers they
 * would be rounded.
 * @throws SyntaxError for invalid JSON or excessive nesting
 */
export function parseRow(text: string): unknown {
  const value = parseJson(text)
  return hasRounded(value) ? parseJson(quoteIntegers(text)) : value
}

/** Returns the first of Python's numbers that JSON lacks (`NaN`, `Infinity`) outside of the strings of a text. */
export function pythonNumberIn(text: string): string | undefined {
  const outside = Array.from(partsOf(text)).filter((_, i) => i % 2 === 0)
  return /\bNaN\b|-?\bInfinity\b/.exec(outside.join(' '))?.[0]
}
