import { DOT } from './character-set.js'
import { parseClass } from './parse-class.js'
import { parseEscape } from './parse-escape.js'
import { type Pattern, choiceOf, repeat, sequenceOf, set } from './pattern.js'
import { badPattern } from './pattern-error.js'

/** Deeper groups are rejected before they overflow the stack. */
const MAX_DEPTH = 200
const MAX_LENGTH = 100_000

/** One alternative of a top-level pattern. */
export interface Alternative {
  readonly pattern: Pattern
  /** True if it starts with `^`. */
  readonly fromStart: boolean
  /** True if it ends with `$`. */
  readonly toEnd: boolean
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/\(\?=/y, 'look-ahead (?= is not supported'],
  [/\(\?!/y, 'look-ahead (?! is not supported'],
  [/\(\?<=/y, 'look-behind (?<= is not supported'],
  [/\(\?<!/y, 'look-behind (?<! is not supported'],
]

/** Start index of the contents of the group whose bracket is at `at`. */
function insideOf(source: string, at: number): number {
  for (const [expression, why] of REFUSED) {
    expression.lastIndex = at
    if (expression.test(source)) throw badPattern(source, at, why)
  }
  if (source[at + 1] !== '?') return at + 1
  const opening = /\(\?(?::|<[A-Za-z_$][\w$]*>)/y
  opening.lastIndex = at
  if (!opening.test(source)) throw badPattern(source, at, `the group ${source.slice(at, at + 3)} is not supported`)
  return opening.lastIndex
}

interface Read {
  readonly pattern: Pattern
  readonly end: number
}

function group(source: string, at: number, depth: number): Read {
  if (depth > MAX_DEPTH) throw badPattern(source, at, `groups may be nested at most ${MAX_DEPTH} deep`)
  const { alternatives, end } = alternation(source, insideOf(source, at), depth)
  if (source[end] !== ')') throw badPattern(source, at, 'a group that starts with ( must end with )')
  return { pattern: choiceOf(alternatives.map(({ pattern }) => pattern)), end: end + 1 }
}

/** Parses one character, class, escape or group. */
function atom(source: string, at: number, depth: number): Read {
  const codePoint = source.codePointAt(at)!
  const sign = String.fromCodePoint(codePoint)
  if (sign === '(') return group(source, at, depth + 1)
  if (sign === '.') return { pattern: set(DOT), end: at + 1 }
  if (sign === '[' || sign === '\\') {
    const { spans, end } = sign === '[' ? parseClass(source, at) : parseEscape(source, at, false)
    return { pattern: set(spans), end }
  }
  if ('*+?{'.includes(sign)) throw badPattern(source, at, `there is nothing before ${sign} to repeat`)
  if ('}]'.includes(sign)) throw badPattern(source, at, `${sign} must be escaped as \\${sign}`)
  if ('^$'.includes(sign)) throw badPattern(source, at, `the anchor ${sign} is supported only at an end of the pattern`)
  return { pattern: set([[codePoint, codePoint]]), end: at + sign.length }
}

/** Applies the quantifier after a parsed atom, if any. A lazy mark is ignored: it does not change which texts match. */
function quantified(source: string, from: number, { pattern, end }: Read): Read {
  const quantifier = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y
  quantifier.lastIndex = end
  const found = quantifier.exec(source)
  if (found === null) return { pattern, end }
  const [, sign, fewest = '', comma, most] = found
  const after = quantifier.lastIndex
  if (sign !== undefined)
    return { pattern: repeat(pattern, sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity), end: after }
  const min = Number(fewest)
  const max = comma === undefined ? min : most === '' ? Infinity : Number(most)
  if (min > max) throw badPattern(source, from, `in {n,m} n must not exceed m, got ${found[0]}`)
  return { pattern: repeat(pattern, min, max), end: after }
}

/** Parses one alternative, up to `|`, `)` or the end. */
function alternative(source: string, from: number, depth: number): Alternative & Read {
  const fromStart = depth === 0 && source[from] === '^'
  const parts: Pattern[] = []
  let at = from + (fromStart ? 1 : 0)
  const atEnd = (index: number): boolean => source[index] === undefined || source[index] === '|'
  while (at < source.length && source[at] !== '|' && source[at] !== ')') {
    if (depth === 0 && source[at] === '$' && atEnd(at + 1))
      return { pattern: sequenceOf(parts), fromStart, toEnd: true, end: at + 1 }
    const read = quantified(source, at, atom(source, at, depth))
    parts.push(read.pattern)
    at = read.end
  }
  return { pattern: sequenceOf(parts), fromStart, toEnd: false, end: at }
}

function alternation(source: string, from: number, depth: number) {
  const alternatives: Alternative[] = []
  let at = from - 1
  do {
    const read = alternative(source, at + 1, depth)
    alternatives.push(read)
    at = read.end
  } while (source[at] === '|')
  return { alternatives, end: at }
}

/**
 * Parses a JavaScript regular expression with the `u` flag, as far as it is regular; see `regularExpression`.
 * @throws AttuneError `BAD_PATTERN` with the unsupported syntax and its index
 */
export function parsePattern(source: string): readonly Alternative[] {
  if (source.length > MAX_LENGTH)
    throw badPattern(source.slice(0, 40), 0, `a pattern may have at most ${MAX_LENGTH} characters`)
  const { alternatives, end } = alternation(source, 0, 0)
  if (end < source.length) throw badPattern(source, end, ') has no matching (')
  return alternatives
}

/** Texts that match a pattern as a whole. */
export const wholePattern = (source: string): Pattern => choiceOf(parsePattern(source).map(({ pattern }) => pattern))
