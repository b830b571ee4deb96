import { DOT } from './character-set.js'
import { parseClass } from './parse-class.js'
import { parseEscape } from './parse-escape.js'
import { type Pattern, choiceOf, repeat, sequenceOf, set } from './pattern.js'
import { badPattern } from './pattern-error.js'

/** Deeper groups are refused before they exhaust the stack. */
const DEEPEST = 200
const LONGEST = 100_000

/** One alternative of a whole pattern. */
export interface Alternative {
  readonly pattern: Pattern
  /** Whether it began with `^`. */
  readonly fromStart: boolean
  /** Whether it ended with `$`. */
  readonly toEnd: boolean
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/\(\?=/y, 'look-ahead (?= is not supported'],
  [/\(\?!/y, 'look-ahead (?! is not supported'],
  [/\(\?<=/y, 'look-behind (?<= is not supported'],
  [/\(\?<!/y, 'look-behind (?<! is not supported'],
]

/** Where the inside of the group begins whose bracket stands at `at`. */
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
  if (depth > DEEPEST) throw badPattern(source, at, `groups may be nested ${DEEPEST} deep at most`)
  const { alternatives, end } = alternation(source, insideOf(source, at), depth)
  if (source[end] !== ')') throw badPattern(source, at, 'a group that begins with ( must end with )')
  return { pattern: choiceOf(alternatives.map(({ pattern }) => pattern)), end: end + 1 }
}

/** One character, class, escape or group. */
function atom(source: string, at: number, depth: number): Read {
  const codePoint = source.codePointAt(at)!
  const sign = String.fromCodePoint(codePoint)
  if (sign === '(') return group(source, at, depth + 1)
  if (sign === '.') return { pattern: set(DOT), end: at + 1 }
  if (sign === '[' || sign === '\\') {
    const { spans, end } = sign === '[' ? parseClass(source, at) : parseEscape(source, at, false)
    return { pattern: set(spans), end }
  }
  if ('*+?{'.includes(sign)) throw badPattern(source, at, `there is nothing before ${sign} that could be repeated`)
  if ('}]'.includes(sign)) throw badPattern(source, at, `${sign} alone must be written \\${sign}`)
  if ('^$'.includes(sign)) throw badPattern(source, at, `the anchor ${sign} may stand at an end of the pattern only`)
  return { pattern: set([[codePoint, codePoint]]), end: at + sign.length }
}

/** What is read at `from`, repeated as the quantifier after it says; a lazy mark does not change which texts match. */
function quantified(source: string, from: number, { pattern, end }: Read): Read {
  const quantifier = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y
  quantifier.lastIndex = end
  const found = quantifier.exec(source)
  if (found === null) return { pattern, end }
  const [, sign, least = '', comma, most] = found
  const after = quantifier.lastIndex
  if (sign !== undefined)
    return { pattern: repeat(pattern, sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity), end: after }
  const fewest = Number(least)
  const greatest = comma === undefined ? fewest : most === '' ? Infinity : Number(most)
  if (fewest > greatest) throw badPattern(source, from, `in {n,m} n must not exceed m, got ${found[0]}`)
  return { pattern: repeat(pattern, fewest, greatest), end: after }
}

/** One alternative, up to `|`, `)` or the end. */
function alternative(source: string, from: number, depth: number): Alternative & Read {
  const fromStart = depth === 0 && source[from] === '^'
  const parts: Pattern[] = []
  let at = from + (fromStart ? 1 : 0)
  const atEnd = (place: number): boolean => source[place] === undefined || source[place] === '|'
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
 * Reads a regular expression of JavaScript with the `u` flag, as far as it is truly regular; see `regularExpression`.
 * @throws AttuneError `BAD_PATTERN` with what is not supported, and where
 */
export function parsePattern(source: string): readonly Alternative[] {
  if (source.length > LONGEST) throw badPattern(source.slice(0, 40), 0, `a pattern may be ${LONGEST} long at most`)
  const { alternatives, end } = alternation(source, 0, 0)
  if (end < source.length) throw badPattern(source, end, ') closes no group')
  return alternatives
}

/** The texts that match a pattern as a whole. */
export const wholePattern = (source: string): Pattern => choiceOf(parsePattern(source).map(({ pattern }) => pattern))
