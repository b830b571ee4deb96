import { fail } from '../failure.js'
import { type Runtime, charge, concat } from '../runtime.js'
import { repeat } from '../text/points.js'
import { pairsOf } from './dict.js'
import { floatRepr } from './float-digits.js'
import { digitsOf } from './integers.js'
import { isBefore } from './ordering.js'
import { sorted } from './sort.js'
import { checkNesting } from './text-of.js'
import { type Dict, type Value, kindOf, stringOf, typeName } from './value.js'

/** JSON format, with the options of Python's `json.dumps`. */
export interface JsonStyle {
  readonly isAscii: boolean
  /** Indentation per level; undefined for a single line. */
  readonly indent: string | undefined
  readonly itemSeparator: string
  readonly keySeparator: string
  readonly isSorted: boolean
}

/** Quotes, backslashes and C0 control characters. */
const SPECIAL = /["\\]|(?![\x7f-\x9f])\p{Cc}/u
const SPECIALS = /["\\]|(?![\x7f-\x9f])\p{Cc}/gu
const BEYOND_ASCII = /[\x80-\uffff]/g
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
}

const unitEscape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

function quote(rt: Runtime, text: string, isAscii: boolean): string {
  charge(rt, text)
  rt.hold(32 + 2 * text.length)
  let escaped = text
  if (SPECIAL.test(text)) {
    rt.spend(30 * text.length)
    rt.hold(20 * text.length)
    escaped = text.replace(SPECIALS, (character) => ESCAPES[character] ?? unitEscape(character))
  }
  if (!isAscii) return `"${escaped}"`
  rt.spend(30 * text.length)
  rt.hold(20 * text.length)
  return `"${escaped.replace(BEYOND_ASCII, unitEscape)}"`
}

function floatText(rt: Runtime, value: number): string {
  rt.spend(100)
  rt.hold(64)
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return floatRepr(value)
  return value > 0 ? 'Infinity' : '-Infinity'
}

/** JSON text of a dict key. */
function keyText(rt: Runtime, key: Value): string {
  const text = stringOf(key)
  if (text !== undefined) return text
  if (key === null || typeof key === 'boolean') return String(key)
  if (typeof key === 'number' || typeof key === 'bigint') return digitsOf(rt, key)
  if (kindOf(key) === 'float') return floatText(rt, (key as { readonly value: number }).value)
  return fail('TypeError', `keys must be str, int, float, bool or None, not ${typeName(key)}`)
}

function enclosed(rt: Runtime, parts: readonly string[], marks: string, style: JsonStyle, depth: number): string {
  if (parts.length === 0) return marks
  const { indent, itemSeparator } = style
  const [outer, inner] =
    indent === undefined ? ['', ''] : [`\n${repeat(rt, indent, depth)}`, `\n${repeat(rt, indent, depth + 1)}`]
  let text = marks[0]! + inner
  for (const [at, part] of parts.entries()) {
    if (at > 0) text = concat(rt, text, concat(rt, itemSeparator, inner))
    text = concat(rt, text, part)
  }
  return concat(rt, text, outer + marks[1]!)
}

function dictJson(rt: Runtime, dict: Dict, style: JsonStyle, depth: number): string {
  const pairs = pairsOf(dict)
  rt.spend(40 * pairs.length)
  rt.hold(60 * pairs.length)
  const inOrder = style.isSorted ? sorted(rt, pairs, ([a], [b]) => isBefore(rt, a, b)) : pairs
  const parts = inOrder.map(([key, value]) => {
    const name = concat(rt, quote(rt, keyText(rt, key), style.isAscii), style.keySeparator)
    return concat(rt, name, toJson(rt, value, style, depth + 1))
  })
  return enclosed(rt, parts, '{}', style, depth)
}

/**
 * Serializes a value to JSON: Python's `json.dumps`.
 * @throws Python's TypeError for values and keys that JSON does not support
 */
export function toJson(rt: Runtime, value: Value, style: JsonStyle, depth: number = 0): string {
  rt.spend(10)
  const text = stringOf(value)
  if (text !== undefined) return quote(rt, text, style.isAscii)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number' || typeof value === 'bigint') return digitsOf(rt, value)
  if (typeof value === 'string') return value
  checkNesting(depth)
  if (value.kind === 'float') return floatText(rt, value.value)
  if (value.kind === 'dict') return dictJson(rt, value, style, depth)
  if (value.kind !== 'list' && value.kind !== 'tuple')
    return fail('TypeError', `Object of type ${typeName(value)} is not JSON serializable`)
  rt.hold(48 + 8 * value.items.length)
  const parts = value.items.map((item) => toJson(rt, item, style, depth + 1))
  return enclosed(rt, parts, '[]', style, depth)
}
