import { fail } from '../failure.js'
import { type Runtime, charge, concat } from '../runtime.js'
import { isPrintable } from '../text/character-classes.js'
import { namesOf, pairsOf } from './dict.js'
import { floatRepr } from './float-digits.js'
import { digitsOf } from './integers.js'
import { type Dict, type Namespace, type Value, type View } from './value.js'

/** Maximum nesting of values that are printed, compared or searched. */
export const MAXIMUM_NESTING = 500

/** Stops recursion over nested values before a stack overflow: Python's RecursionError. */
export function checkNesting(depth: number): void {
  if (depth > MAXIMUM_NESTING) fail('RecursionError', `values are nested more than ${MAXIMUM_NESTING} levels deep`)
}

const PLAIN = /^[ !#-&(-[\]-~]*$/
const ESCAPED = /\\|[^ -~]/gu
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapeCharacter(character: string): string {
  const simple = ESCAPES[character]
  if (simple !== undefined) return simple
  const code = character.codePointAt(0)!
  if (code >= 0x80 && isPrintable(character)) return character
  const digits = code.toString(16)
  if (code < 0x100) return `\\x${digits.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}

/** Python's `repr` of a str. */
export function quote(rt: Runtime, text: string): string {
  charge(rt, text)
  rt.hold(2 * text.length)
  if (PLAIN.test(text)) return `'${text}'`
  rt.spend(30 * text.length)
  rt.hold(8 * text.length)
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(ESCAPED, escapeCharacter)
  return `${mark}${mark === "'" ? escaped.replaceAll("'", "\\'") : escaped}${mark}`
}

type Writer = (rt: Runtime, value: Value, depth: number) => string

function joined(rt: Runtime, items: readonly Value[], depth: number, write: Writer): string {
  rt.spend(8 * items.length)
  let text = ''
  for (const [at, item] of items.entries()) text = concat(rt, at > 0 ? `${text}, ` : text, write(rt, item, depth))
  return text
}

function dictRepr(rt: Runtime, dict: Dict, depth: number): string {
  rt.spend(16 * dict.map.size)
  let text = ''
  for (const [name, value] of pairsOf(dict)) {
    const pair = concat(rt, `${repr(rt, name, depth)}: `, repr(rt, value, depth))
    text = concat(rt, text === '' ? text : `${text}, `, pair)
  }
  return `{${text}}`
}

function viewRepr(rt: Runtime, { of, dict }: View, depth: number): string {
  if (of === 'keys') return `dict_keys([${joined(rt, namesOf(dict), depth, repr)}])`
  if (of === 'values') return `dict_values([${joined(rt, [...dict.map.values()], depth, repr)}])`
  const pairs = pairsOf(dict).map((items): Value => ({ kind: 'tuple', items }))
  return `dict_items([${joined(rt, pairs, depth, repr)}])`
}

function namespaceRepr(rt: Runtime, value: Namespace, depth: number): string {
  if (rt.open.has(value)) return '<Namespace {...}>'
  rt.open.add(value)
  const text = dictRepr(rt, { kind: 'dict', map: value.values as Dict['map'], originalKeys: undefined }, depth)
  rt.open.delete(value)
  return `<Namespace ${text}>`
}

/**
 * Python's `repr` of a value.
 * @throws Python's RecursionError for values that are nested too deeply
 */
export function repr(rt: Runtime, value: Value, depth: number = 0): string {
  if (typeof value === 'string') return quote(rt, value)
  if (value === null || typeof value !== 'object') return textOf(rt, value)
  checkNesting(depth)
  rt.spend(10)
  switch (value.kind) {
    case 'float':
      rt.spend(60)
      rt.hold(64)
      return floatRepr(value.value)
    case 'markup':
      return `Markup(${quote(rt, value.text)})`
    case 'list':
      return `[${joined(rt, value.items, depth + 1, repr)}]`
    case 'tuple':
      return `(${joined(rt, value.items, depth + 1, repr)}${value.items.length === 1 ? ',' : ''})`
    case 'dict':
      return dictRepr(rt, value, depth + 1)
    case 'view':
      return viewRepr(rt, value, depth + 1)
    case 'range':
      return `range(${value.start}, ${value.stop}${value.step === 1 ? '' : `, ${value.step}`})`
    case 'iterator':
      return `<${value.type} object>`
    case 'undefined':
      return 'Undefined'
    case 'namespace':
      return namespaceRepr(rt, value, depth + 1)
    case 'host':
      return value.repr(rt)
  }
}

/** Python's `str` of a value: the output of `{{ value }}`. */
export function textOf(rt: Runtime, value: Value): string {
  if (typeof value === 'string') return value
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number' || typeof value === 'bigint') return digitsOf(rt, value)
  if (value.kind === 'markup') return value.text
  return value.kind === 'undefined' ? '' : repr(rt, value)
}
