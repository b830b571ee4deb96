import { CAUGHT, isFailure } from '../failure.js'
import { type Runtime, concat } from '../runtime.js'
import { isSpace } from '../text/characters.js'
import { lengthOf, repeat } from '../text/points.js'
import { splitLines } from '../text/split.js'
import { pairsOf } from './dict.js'
import { equals } from './equality.js'
import { isBefore } from './ordering.js'
import { sorted } from './sort.js'
import { checkNesting, quote, repr } from './text-of.js'
import { type Dict, type Value, typeName } from './value.js'

const WIDTH = 80

type Pair = readonly [Value, Value]

/** Order of arbitrary values; values without an order are compared by type name. */
function isSafelyBefore(rt: Runtime, left: Value, right: Value): boolean {
  try {
    return isBefore(rt, left, right)
  } catch (error) {
    if (!isFailure(error, 'TypeError', 'UndefinedError')) throw error
    rt.spend(CAUGHT)
    return typeName(left) < typeName(right)
  }
}

const pairsInOrder = (rt: Runtime, dict: Dict): readonly Pair[] =>
  sorted(rt, pairsOf(dict), ([a, x], [b, y]) =>
    equals(rt, a, b) ? isSafelyBefore(rt, x, y) : isSafelyBefore(rt, a, b),
  )

const joinedTexts = (rt: Runtime, parts: readonly string[]): string =>
  parts.reduce((sum, part, at) => concat(rt, at > 0 ? `${sum}, ` : sum, part), '')

/** Python's `repr` with sorted dict keys. */
function safeRepr(rt: Runtime, value: Value, depth: number): string {
  checkNesting(depth)
  rt.spend(20)
  if (value === null || typeof value !== 'object') return repr(rt, value)
  if (value.kind === 'dict') {
    const parts = pairsInOrder(rt, value).map(([key, each]) =>
      concat(rt, `${safeRepr(rt, key, depth + 1)}: `, safeRepr(rt, each, depth + 1)),
    )
    return `{${joinedTexts(rt, parts)}}`
  }
  if (value.kind !== 'list' && (value.kind !== 'tuple' || value.names !== undefined)) return repr(rt, value, depth)
  rt.spend(4 * value.items.length)
  const parts = value.items.map((item) => safeRepr(rt, item, depth + 1))
  const text = joinedTexts(rt, parts)
  return value.kind === 'list' ? `[${text}]` : `(${text}${parts.length === 1 ? ',' : ''})`
}

/** Layout of a value: the column where it begins, the columns reserved after it, and its nesting level. */
interface Layout {
  readonly indent: number
  readonly allowance: number
  readonly level: number
}

const newLine = (rt: Runtime, indent: number): string => `\n${repeat(rt, ' ', indent)}`

/** Splits a line into words, each with its trailing whitespace. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = []
  for (let at = 0; at < line.length;) {
    let end = at
    while (end < line.length && !isSpace(line.charCodeAt(end))) end++
    while (end < line.length && isSpace(line.charCodeAt(end))) end++
    words.push(line.slice(at, end))
    at = end
  }
  return words
}

function wrapLine(rt: Runtime, line: string, width: number, lastWidth: number): readonly string[] {
  const words = wordsOf(line)
  rt.spend(20 * words.length)
  rt.hold(40 * words.length)
  const chunks: string[] = []
  let current = ''
  for (const [at, word] of words.entries()) {
    const candidate = concat(rt, current, word)
    if (lengthOf(rt, quote(rt, candidate)) <= (at === words.length - 1 ? lastWidth : width)) current = candidate
    else {
      if (current !== '') chunks.push(quote(rt, current))
      current = word
    }
  }
  return current === '' ? chunks : [...chunks, quote(rt, current)]
}

function prettyText(rt: Runtime, text: string, layout: Layout): string {
  const isTop = layout.level === 1
  const [indent, allowance] = [layout.indent + (isTop ? 1 : 0), layout.allowance + (isTop ? 1 : 0)]
  const width = WIDTH - indent
  const lines = splitLines(rt, text, true)
  const chunks = lines.flatMap((line, at) => {
    const shown = quote(rt, line)
    const lastWidth = at === lines.length - 1 ? width - allowance : width
    return lengthOf(rt, shown) <= lastWidth ? [shown] : wrapLine(rt, line, width, lastWidth)
  })
  if (chunks.length === 1) return quote(rt, lines.at(-1)!)
  const between = newLine(rt, indent)
  const joined = chunks.reduce((sum, chunk) => concat(rt, sum === '' ? '' : sum + between, chunk), '')
  return isTop ? `(${joined})` : joined
}

function prettyItems(rt: Runtime, items: readonly Value[], layout: Layout): string {
  const indent = layout.indent + 1
  const between = `,${newLine(rt, indent)}`
  return items.reduce((sum: string, item, at) => {
    const allowance = at === items.length - 1 ? layout.allowance : 1
    return concat(rt, at > 0 ? sum + between : sum, pretty(rt, item, { indent, allowance, level: layout.level }))
  }, '')
}

function prettyPairs(rt: Runtime, pairs: readonly Pair[], layout: Layout): string {
  const indent = layout.indent + 1
  const between = `,${newLine(rt, indent)}`
  return pairs.reduce((sum: string, [key, value], at) => {
    const name = safeRepr(rt, key, 0)
    const allowance = at === pairs.length - 1 ? layout.allowance : 1
    const shown = pretty(rt, value, { indent: indent + lengthOf(rt, name) + 2, allowance, level: layout.level })
    return concat(rt, at > 0 ? sum + between : sum, concat(rt, `${name}: `, shown))
  }, '')
}

function pretty(rt: Runtime, value: Value, layout: Layout): string {
  checkNesting(layout.level)
  const shown = safeRepr(rt, value, 0)
  if (lengthOf(rt, shown) <= WIDTH - layout.indent - layout.allowance) return shown
  const inner = (more: number): Layout => ({ ...layout, allowance: layout.allowance + more, level: layout.level + 1 })
  if (typeof value === 'string') return prettyText(rt, value, inner(0))
  if (value === null || typeof value !== 'object') return shown
  if (value.kind === 'dict') return `{${prettyPairs(rt, pairsInOrder(rt, value), inner(1))}}`
  if (value.kind === 'list') return `[${prettyItems(rt, value.items, inner(1))}]`
  if (value.kind !== 'tuple' || value.names !== undefined) return shown
  const end = value.items.length === 1 ? ',)' : ')'
  return `(${prettyItems(rt, value.items, inner(end.length))}${end}`
}

/** Python's `pprint.pformat` of a value. */
export const prettyRepr = (rt: Runtime, value: Value): string =>
  pretty(rt, value, { indent: 0, allowance: 0, level: 0 })
