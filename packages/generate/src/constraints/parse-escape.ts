import { DIGITS, SPACE, WORD, complement } from './character-set.js'
import type { Span } from './pattern.js'
import { badPattern } from './pattern-error.js'

const CLASSES: Readonly<Record<string, readonly Span[]>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
}
const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d }
const NAMED: Readonly<Record<string, string>> = {
  b: 'the word boundary \\b',
  B: 'the word boundary \\B',
  k: 'the back-reference \\k',
  p: 'the property \\p',
  P: 'the property \\P',
}
const SYNTAX = '^$\\.*+?()[]{}|/'

/** A parsed escape and its end. */
export interface Escape {
  readonly spans: readonly Span[]
  readonly end: number
  /** True if it is a single character, as the ends of a range must be. */
  readonly single: boolean
}

const one = (codePoint: number, end: number): Escape => ({ spans: [[codePoint, codePoint]], end, single: true })

function hexadecimal(source: string, at: number, expression: RegExp): RegExpExecArray | null {
  expression.lastIndex = at
  return expression.exec(source)
}

/** Parses `\uXXXX`, a surrogate pair of two, or `\u{…}`. */
function unicodeEscape(source: string, at: number): Escape {
  const braces = hexadecimal(source, at, /\\u\{([0-9a-fA-F]+)\}/y)
  if (braces !== null && parseInt(braces[1]!, 16) <= 0x10ffff)
    return one(parseInt(braces[1]!, 16), at + braces[0].length)
  const pair = hexadecimal(source, at, /\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})/iy)
  if (pair !== null) {
    const [high, low] = [parseInt(pair[1]!, 16), parseInt(pair[2]!, 16)]
    return one(0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00, at + 12)
  }
  const four = hexadecimal(source, at, /\\u([0-9a-fA-F]{4})/y)
  if (four !== null) return one(parseInt(four[1]!, 16), at + 6)
  throw badPattern(source, at, '\\u must be followed by four hexadecimal digits, or by up to 10FFFF in braces')
}

/**
 * Parses the escape whose backslash is at `at`. `loose` also accepts escapes of any punctuation, as JavaScript without the `u` flag.
 * @throws AttuneError `BAD_PATTERN`
 */
export function parseEscape(source: string, at: number, inClass: boolean, loose = false): Escape {
  const letter = source[at + 1]
  if (letter === undefined) throw badPattern(source, at, 'a pattern cannot end with a backslash')
  const spans = CLASSES[letter]
  if (spans !== undefined) return { spans, end: at + 2, single: false }
  const control = CONTROLS[letter]
  if (control !== undefined) return one(control, at + 2)
  if (SYNTAX.includes(letter) || (inClass && letter === '-')) return one(letter.charCodeAt(0), at + 2)
  if (inClass && letter === 'b') return one(0x08, at + 2)
  if (letter === 'u') return unicodeEscape(source, at)
  const two = hexadecimal(source, at, /\\x([0-9a-fA-F]{2})/y)
  if (two !== null) return one(parseInt(two[1]!, 16), at + 4)
  if (/^\\c[a-zA-Z]/.test(source.slice(at, at + 3))) return one(source.charCodeAt(at + 2) % 32, at + 3)
  if (letter === '0' && !/[0-9]/.test(source[at + 2] ?? '')) return one(0, at + 2)
  if (loose && /[^\w\s]|_/.test(letter) && letter < '\x7f') return one(letter.charCodeAt(0), at + 2)
  if (/[1-9]/.test(letter)) throw badPattern(source, at, `the back-reference \\${letter} is not supported`)
  throw badPattern(source, at, `${NAMED[letter] ?? `the escape \\${letter}`} is not supported`)
}
