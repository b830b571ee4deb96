import type { Budget } from '@attune/core'
import { ANY, DOT } from './character-set.js'
import { parseClass } from './parse-class.js'
import { parseEscape } from './parse-escape.js'
import { EMPTY, type Pattern, choiceOf, repeat, sequence, set } from './pattern.js'
import { type Alternative, joined } from './pattern-alternatives.js'
import { badPattern } from './pattern-error.js'
import { intersectTexts } from './text-intersection.js'

/** Deeper groups are rejected before they overflow the stack. */
const MAX_DEPTH = 200
const MAX_LENGTH = 100_000

/** A pattern that is being parsed. */
interface Source {
  readonly text: string
  /** Set for the patterns of schemas: syntax of JavaScript without the `u` flag, anchors in groups, and look-ahead. */
  readonly loose: Budget | undefined
}

interface Read {
  readonly pattern: Pattern
  readonly end: number
  /** Set for a group: its alternatives. */
  readonly alternatives?: readonly Alternative[]
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/\(\?=/y, 'look-ahead (?= is not supported'],
  [/\(\?!/y, 'look-ahead (?! is not supported'],
  [/\(\?<=/y, 'look-behind (?<= is not supported'],
  [/\(\?<!/y, 'look-behind (?<! is not supported'],
]
const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y

/** Any text. */
export const anything: Pattern = repeat(set(ANY), 0, Infinity)

/** Start index of the contents of the group whose bracket is at `at`. */
function insideOf(text: string, at: number): number {
  for (const [expression, why] of REFUSED) {
    expression.lastIndex = at
    if (expression.test(text)) throw badPattern(text, at, why)
  }
  if (text[at + 1] !== '?') return at + 1
  const opening = /\(\?(?::|<[A-Za-z_$][\w$]*>)/y
  opening.lastIndex = at
  if (!opening.test(text)) throw badPattern(text, at, `the group ${text.slice(at, at + 3)} is not supported`)
  return opening.lastIndex
}

function group(source: Source, at: number, from: number, depth: number): Read {
  const { text } = source
  if (depth > MAX_DEPTH) throw badPattern(text, at, `groups may be nested at most ${MAX_DEPTH} deep`)
  const { alternatives, end } = alternation(source, from, depth)
  if (text[end] !== ')') throw badPattern(text, at, 'a group that starts with ( must end with )')
  return { pattern: choiceOf(alternatives.map(({ pattern }) => pattern)), end: end + 1, alternatives }
}

/** True if the character at `at` stands for itself in JavaScript without the `u` flag. */
function isLiteral(text: string, at: number): boolean {
  QUANTIFIER.lastIndex = at
  return '}]'.includes(text[at]!) || (text[at] === '{' && !QUANTIFIER.test(text))
}

/** Parses one character, class, escape or group. */
function atom(source: Source, at: number, depth: number): Read {
  const { text, loose } = source
  const codePoint = text.codePointAt(at)!
  const sign = String.fromCodePoint(codePoint)
  if (sign === '(') return group(source, at, insideOf(text, at), depth + 1)
  if (sign === '.') return { pattern: set(DOT), end: at + 1 }
  if (sign === '[' || sign === '\\') {
    const isLoose = loose !== undefined
    const { spans, end } = sign === '[' ? parseClass(text, at, isLoose) : parseEscape(text, at, false, isLoose)
    return { pattern: set(spans), end }
  }
  if (loose === undefined || !isLiteral(text, at)) {
    if ('*+?{'.includes(sign)) throw badPattern(text, at, `there is nothing before ${sign} to repeat`)
    if ('}]'.includes(sign)) throw badPattern(text, at, `${sign} must be escaped as \\${sign}`)
  }
  if ('^$'.includes(sign)) throw badPattern(text, at, `the anchor ${sign} is supported only at an end of the pattern`)
  return { pattern: set([[codePoint, codePoint]]), end: at + sign.length }
}

/** Applies the quantifier after a parsed atom, if any. A lazy mark is ignored: it does not change which texts match. */
function quantified({ text }: Source, from: number, read: Read): Read {
  const { pattern, end } = read
  QUANTIFIER.lastIndex = end
  const found = QUANTIFIER.exec(text)
  const after = QUANTIFIER.lastIndex
  if (found === null) return read
  if (read.alternatives?.some(({ fromStart, toEnd }) => fromStart || toEnd) === true)
    throw badPattern(text, from, 'an anchor in a repeated group is not supported')
  const [, sign, fewest = '', comma, most] = found
  if (sign !== undefined)
    return { pattern: repeat(pattern, sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity), end: after }
  const min = Number(fewest)
  const max = comma === undefined ? min : most === '' ? Infinity : Number(most)
  if (min > max) throw badPattern(text, from, `in {n,m} n must not exceed m, got ${found[0]}`)
  return { pattern: repeat(pattern, min, max), end: after }
}

/** Texts up to the end of the whole text that start with a match. */
const toTheEnd = ({ pattern, toEnd }: Alternative): Pattern => (toEnd ? pattern : sequence(pattern, anything))

/** Parses a look-ahead at `at` and the rest of its alternative: both must match from here on, at the start of the text or not. */
function lookAhead(source: Source, at: number, isStart: boolean, budget: Budget): Read {
  const ahead = group(source, at, at + 3, 1)
  const rest = alternative(source, ahead.end, 0)
  if (!isStart && [...ahead.alternatives!, ...rest.alternatives].some(({ fromStart }) => fromStart))
    throw badPattern(source.text, at, 'the anchor ^ in or after a look-ahead is not supported')
  const conditions = [
    { pattern: choiceOf(rest.alternatives.map(toTheEnd)), negated: false },
    { pattern: choiceOf(ahead.alternatives!.map(toTheEnd)), negated: source.text[at + 2] === '!' },
  ]
  return { pattern: intersectTexts(conditions, { min: 0, max: Infinity }, budget), end: rest.end }
}

/** Parses one alternative, up to `|`, `)` or the end. A group with anchors divides it into several. */
function alternative(source: Source, from: number, depth: number) {
  const { text, loose } = source
  const anchored = depth === 0 || loose !== undefined
  const fromStart = anchored && text[from] === '^'
  const parts: Read[] = []
  let at = from + (fromStart ? 1 : 0)
  let toEnd = false
  const isEnd = (index: number): boolean => text[index] === undefined || text[index] === '|' || text[index] === ')'
  while (!toEnd && !isEnd(at)) {
    if (anchored && text[at] === '$' && isEnd(at + 1)) [toEnd, at] = [true, at + 1]
    else if (loose !== undefined && depth === 0 && /^\(\?[=!]/.test(text.slice(at, at + 3))) {
      const read = lookAhead(source, at, fromStart && parts.length === 0, loose)
      parts.push(read)
      ;[toEnd, at] = [true, read.end]
    } else {
      const read = quantified(source, at, atom(source, at, depth))
      parts.push(read)
      at = read.end
    }
  }
  const alternatives = joined(parts, { fromStart, toEnd }, () =>
    badPattern(text, from, 'an anchor in a group is supported only at an end of the pattern'),
  )
  return { alternatives, end: at }
}

function alternation(source: Source, from: number, depth: number) {
  const alternatives: Alternative[] = []
  let at = from - 1
  do {
    const read = alternative(source, at + 1, depth)
    for (const each of read.alternatives) alternatives.push(each)
    at = read.end
  } while (source.text[at] === '|')
  return { alternatives, end: at }
}

/**
 * Parses a JavaScript regular expression with the `u` flag, as far as it is regular; see `regularExpression`. With `loose`, also
 * syntax without that flag, anchors at the ends of groups, and look-ahead outside groups.
 * @throws AttuneError `BAD_PATTERN` with the unsupported syntax and its index
 */
export function parsePattern(text: string, loose?: Budget): readonly Alternative[] {
  if (text.length > MAX_LENGTH)
    throw badPattern(text.slice(0, 40), 0, `a pattern may have at most ${MAX_LENGTH} characters`)
  const { alternatives, end } = alternation({ text, loose }, 0, 0)
  if (end < text.length) throw badPattern(text, end, ') has no matching (')
  return alternatives
}

/** Texts that match a pattern as a whole. */
export const wholePattern = (source: string): Pattern => choiceOf(parsePattern(source).map(({ pattern }) => pattern))

/** A pattern match as JSON Schema defines it: anywhere in the string, unless anchored. */
export const containing = (source: string, budget: Budget): Pattern =>
  choiceOf(parsePattern(source, budget).map((each) => sequence(each.fromStart ? EMPTY : anything, toTheEnd(each))))
