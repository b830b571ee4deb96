import { fail } from '../failure.js'
import { type Runtime, charge, concat } from '../runtime.js'
import { repr, textOf } from '../values/text-of.js'
import { type Arguments, type Value, kindOf, stringOf } from '../values/value.js'
import { formatValue } from './format-spec.js'
import { escapeHtml } from './html.js'
import { asciiRepr } from './percent-format.js'

/** A replacement field: `{name.attribute[item]!conversion:specification}`. */
interface Field {
  readonly name: string
  readonly conversion: string
  readonly specification: string
}

/** State of automatic field numbering. */
interface Numbering {
  next: number
  isManual: boolean
}

/** Lookup of attributes and items of values, as in templates. */
export interface Lookup {
  readonly attribute: (rt: Runtime, value: Value, name: string) => Value
  readonly item: (rt: Runtime, value: Value, key: Value) => Value
}

interface Formatting {
  readonly rt: Runtime
  readonly lookup: Lookup
  readonly args: Arguments
  readonly numbering: Numbering
  readonly isMarkup: boolean
}

/** Index of the brace that closes the one before `from`. */
function endOfField(format: string, from: number): number {
  let [open, isIndex] = [1, false]
  for (let at = from; at < format.length; at++) {
    const character = format[at]
    if (character === '[') isIndex = true
    else if (character === ']') isIndex = false
    else if (isIndex) continue
    else if (character === '{') open++
    else if (character === '}' && --open === 0) return at
  }
  return fail('ValueError', "expected '}' before end of string")
}

/** Index of the `!` or `:` that ends the name of a field. */
function endOfName(text: string): number {
  let isIndex = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '[') isIndex = true
    else if (text[at] === ']') isIndex = false
    else if (text[at] === '{' && !isIndex) fail('ValueError', "unexpected '{' in field name")
    else if (!isIndex && (text[at] === '!' || text[at] === ':')) return at
  }
  return text.length
}

function fieldOf(text: string): Field {
  const end = endOfName(text)
  const name = text.slice(0, end)
  if (text[end] !== '!') return { name, conversion: '', specification: text.slice(end + 1) }
  const [conversion, colon] = [text[end + 1], text[end + 2]]
  if (conversion === undefined) fail('ValueError', 'end of string while looking for conversion specifier')
  if (colon !== undefined && colon !== ':') fail('ValueError', "expected ':' after conversion specifier")
  return { name, conversion, specification: text.slice(end + 3) }
}

const NUMBER = /^\d+$/

function firstOf({ args, numbering }: Formatting, name: string): Value {
  const isNumber = NUMBER.test(name)
  if (name === '' ? numbering.isManual : isNumber && numbering.next > 0)
    fail('ValueError', 'cannot switch between manual field specification and automatic field numbering')
  if (isNumber) numbering.isManual = true
  if (name === '' || isNumber) {
    const at = name === '' ? numbering.next++ : Number(name)
    return args.positional[at] ?? failMissing(at, args)
  }
  const found = args.named?.get(name)
  return found === undefined ? fail('KeyError', `'${name}'`) : found
}

function failMissing(at: number, { positional }: Arguments): Value {
  return at < positional.length
    ? null
    : fail('IndexError', `Replacement index ${at} out of range for positional args tuple`)
}

const STEP = /\.([^.[]*)|\[([^\]]*)\]|([^])/y

function valueOf(formatting: Formatting, name: string): Value {
  const { rt, lookup } = formatting
  const end = name.search(/[.[]/)
  let value = firstOf(formatting, end < 0 ? name : name.slice(0, end))
  for (let at = end < 0 ? name.length : end; at < name.length; at = STEP.lastIndex) {
    STEP.lastIndex = at
    const [, attribute, item] = STEP.exec(name)!
    rt.spend(10)
    const part = attribute ?? item
    if (part === undefined) return fail('ValueError', "only '.' or '[' may follow ']' in format field specifier")
    if (part === '') return fail('ValueError', 'empty attribute in format string')
    value =
      attribute === undefined
        ? lookup.item(rt, value, NUMBER.test(part) ? Number(part) : part)
        : lookup.attribute(rt, value, part)
  }
  return value
}

function converted(rt: Runtime, value: Value, conversion: string): Value {
  switch (conversion) {
    case '':
      return value
    case 's':
      return textOf(rt, value)
    case 'r':
      return repr(rt, value)
    case 'a':
      return asciiRepr(rt, value)
    default:
      return fail('ValueError', `unknown conversion specifier ${conversion}`)
  }
}

/** Formats a value in Markup: escaped, unless it is Markup itself. */
function formatMarkup(rt: Runtime, value: Value, specification: string): string {
  if (kindOf(value) !== 'markup') return escapeHtml(rt, formatValue(rt, value, specification))
  return specification === '' ? stringOf(value)! : fail('ValueError', 'unsupported format specification for Markup')
}

function format(formatting: Formatting, text: string, depth: number): string {
  const { rt, isMarkup } = formatting
  if (depth > 3) fail('ValueError', 'max string recursion exceeded')
  let made = ''
  const add = (part: string): void => void (made = concat(rt, made, part))
  for (let at = 0; at < text.length;) {
    const brace = text.slice(at).search(/[{}]/)
    if (brace < 0) {
      add(text.slice(at))
      break
    }
    const start = at + brace
    add(text.slice(at, start))
    if (text[start + 1] === text[start]) {
      add(text[start]!)
      at = start + 2
      continue
    }
    if (text[start] === '}') fail('ValueError', "Single '}' encountered in format string")
    if (start + 1 === text.length) fail('ValueError', "Single '{' encountered in format string")
    const end = endOfField(text, start + 1)
    const field = fieldOf(text.slice(start + 1, end))
    rt.spend(80 + end - start)
    const value = converted(rt, valueOf(formatting, field.name), field.conversion)
    const specification = format({ ...formatting, isMarkup: false }, field.specification, depth + 1)
    add((isMarkup ? formatMarkup : formatValue)(rt, value, specification))
    at = end + 1
  }
  return made
}

/** Formats a text with arguments, as Markup or as a str. */
export type BraceFormat = (rt: Runtime, text: string, args: Arguments, isMarkup: boolean) => string

/**
 * Creates Python's `str.format` with the attribute lookup of templates.
 * The format throws Python's ValueError, IndexError, KeyError and TypeError.
 */
export const braceFormatWith =
  (lookup: Lookup): BraceFormat =>
  (rt, text, args, isMarkup) => {
    charge(rt, text)
    rt.spend(2 * text.length)
    return format({ rt, lookup, args, numbering: { next: 0, isManual: false }, isMarkup }, text, 1)
  }
