import { fail } from '../failure.js'
import { type Runtime, charge, concat } from '../runtime.js'
import { lookUp } from '../values/dict.js'
import { truncate } from '../values/integers.js'
import { repr, textOf } from '../values/text-of.js'
import {
  type Tuple,
  type Value,
  floatOf,
  intOf,
  isUndefined,
  kindOf,
  markup,
  stringOf,
  typeName,
} from '../values/value.js'
import { digitsIn } from './format-spec.js'
import { escapeHtml } from './html.js'
import { floatText } from './number-format.js'
import { lengthOf, repeat, slicePoints } from './points.js'

/** A conversion of a format: `%(key)-+ #0width.precisiontype`. */
interface Conversion {
  readonly key: string | undefined
  readonly flags: string
  readonly width: string
  readonly precision: string | undefined
  readonly type: string
  /** Index after it in the format. */
  readonly end: number
}

const REST = /([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?([^])?/y

/** Index after the parenthesis that closes the one before `from`. */
function endOfKey(format: string, from: number): number {
  let open = 1
  for (let at = from; at < format.length; at++) {
    if (format[at] === '(') open++
    else if (format[at] === ')' && --open === 0) return at + 1
  }
  return fail('ValueError', 'incomplete format key')
}

function conversionAt(format: string, at: number): Conversion {
  const hasKey = format[at] === '('
  const start = hasKey ? endOfKey(format, at + 1) : at
  REST.lastIndex = start
  const [, flags, width, precision, type] = REST.exec(format)!
  if (type === undefined) fail('ValueError', 'incomplete format')
  return {
    key: hasKey ? format.slice(at + 1, start - 1) : undefined,
    flags: flags!,
    width: width!,
    precision,
    type,
    end: REST.lastIndex,
  }
}

/** Arguments of a format, taken in order or by key. */
function argumentsOf(rt: Runtime, values: Value) {
  const items = kindOf(values) === 'tuple' ? (values as Tuple).items : [values]
  let at = 0
  return {
    next: (): Value => (at < items.length ? items[at++]! : fail('TypeError', 'not enough arguments for format string')),
    get(key: string): Value {
      if (isUndefined(values)) return values.raise(rt)
      if (typeof values !== 'object' || values?.kind !== 'dict') return fail('TypeError', 'format requires a mapping')
      const found = lookUp(rt, values, key)
      return found === undefined ? fail('KeyError', `'${key}'`) : found
    },
    isDone: (): boolean => at >= items.length || ['dict', 'list', 'range', 'undefined'].includes(kindOf(values) ?? ''),
  }
}

const asciiOf = (text: string): string =>
  text.replace(/\P{ASCII}/gu, (character) => {
    const digits = character.codePointAt(0)!.toString(16)
    return digits.length <= 2
      ? `\\x${digits}`
      : digits.length <= 4
        ? `\\u${digits.padStart(4, '0')}`
        : `\\U${digits.padStart(8, '0')}`
  })

/** Python's `ascii` of a value. */
export const asciiRepr = (rt: Runtime, value: Value): string => {
  const text = repr(rt, value)
  rt.spend(8 * text.length)
  rt.hold(20 * text.length)
  return asciiOf(text)
}

function integerOf(type: string, value: Value): number | bigint {
  const int = intOf(value)
  if (int !== undefined) return int
  if (isUndefined(value)) fail('TypeError', `%${type} format: a real number is required, not Undefined`)
  const isDecimal = 'diu'.includes(type)
  if (kindOf(value) === 'float' && isDecimal) return truncate(floatOf(value)!)
  return fail(
    'TypeError',
    `%${type} format: ${isDecimal ? 'a real number' : 'an integer'} is required, not ${typeName(value)}`,
  )
}

const BASES: Readonly<Record<string, readonly [number, string]>> = { o: [8, '0o'], x: [16, '0x'], X: [16, '0X'] }

interface Converted {
  readonly sign: string
  readonly text: string
}

function convertInt(rt: Runtime, { type, flags }: Conversion, value: Value, precision: number | undefined): Converted {
  const int = integerOf(type, value)
  const [base, prefix] = BASES[type] ?? [10, '']
  const digits = digitsIn(rt, int, base)
  const filled = repeat(rt, '0', (precision ?? 0) - digits.length) + digits
  const before = flags.includes('#') ? prefix : ''
  return { sign: (int < 0 ? '-' : '') + before, text: type === 'X' ? filled.toUpperCase() : filled }
}

function convertFloat(
  rt: Runtime,
  { type, flags }: Conversion,
  value: Value,
  precision: number | undefined,
): Converted {
  if (isUndefined(value)) return value.raise(rt)
  const number = floatOf(value) ?? fail('TypeError', `must be real number, not ${typeName(value)}`)
  const style = { type: type.toLowerCase() as 'e', precision: precision ?? 6, isAlternate: flags.includes('#') }
  const { digits, rest } = floatText(rt, number, style)
  const text = digits + rest
  const sign = number < 0 || Object.is(number, -0) ? '-' : ''
  return { sign, text: type === type.toLowerCase() ? text : text.toUpperCase() }
}

function characterOf(rt: Runtime, value: Value): string {
  const text = stringOf(value)
  const int = intOf(value)
  if (int !== undefined)
    return int >= 0 && int <= 0x10ffff
      ? String.fromCodePoint(Number(int))
      : fail('OverflowError', '%c arg not in range(0x110000)')
  return text !== undefined && lengthOf(rt, text) === 1 ? text : fail('TypeError', '%c requires int or char')
}

type Escape = (rt: Runtime, text: string) => string

function convertText(rt: Runtime, { type }: Conversion, value: Value, escape: Escape): string {
  if (type === 'c') return characterOf(rt, value)
  if (type === 's') return kindOf(value) === 'markup' ? stringOf(value)! : escape(rt, textOf(rt, value))
  return escape(rt, type === 'r' ? repr(rt, value) : asciiRepr(rt, value))
}

function padded(rt: Runtime, { sign, text }: Converted, width: number, flags: string, isNumber: boolean): string {
  const missing = width - lengthOf(rt, sign + text)
  if (missing <= 0) return sign + text
  if (flags.includes('-')) return sign + text + repeat(rt, ' ', missing)
  return isNumber && flags.includes('0')
    ? sign + repeat(rt, '0', missing) + text
    : repeat(rt, ' ', missing) + sign + text
}

function convert(
  rt: Runtime,
  conversion: Conversion,
  source: ReturnType<typeof argumentsOf>,
  escape: Escape,
  index: number,
): string {
  const { key, type, width, precision } = conversion
  const size = (text: string): number => {
    if (text !== '*') return Number(text)
    const int = intOf(source.next())
    return int === undefined ? fail('TypeError', '* wants int') : Number(int)
  }
  const keyed = key === undefined ? undefined : source.get(key)
  const wanted = size(width)
  const flags = wanted < 0 ? `${conversion.flags}-` : conversion.flags
  const digits = precision === undefined ? undefined : Math.max(0, size(precision))
  const isInt = 'diuoxX'.includes(type)
  const value = keyed === undefined ? source.next() : keyed
  if (!isInt && !'eEfFgGcrsa'.includes(type))
    fail('ValueError', `unsupported format character '${type}' at index ${index}`)
  if (isInt || 'eEfFgG'.includes(type)) {
    const number = (isInt ? convertInt : convertFloat)(rt, conversion, value, digits)
    const plus = number.sign.startsWith('-') ? '' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
    return padded(rt, { sign: plus + number.sign, text: number.text }, Math.abs(wanted), flags, true)
  }
  const text = convertText(rt, conversion, value, escape)
  const shown =
    digits === undefined || type === 'c' ? text : slicePoints(rt, text, 0, Math.min(digits, lengthOf(rt, text)))
  return padded(rt, { sign: '', text: shown }, Math.abs(wanted), flags, false)
}

const asIs: Escape = (_, text) => text

/**
 * Python's `format % values`.
 * @throws Python's TypeError, ValueError or KeyError
 */
export function percentFormat(rt: Runtime, format: Value, values: Value): Value {
  const text = stringOf(format)!
  charge(rt, text)
  rt.spend(text.length)
  const source = argumentsOf(rt, values)
  const escape = typeof format === 'string' ? asIs : escapeHtml
  let [made, from] = ['', 0]
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
    rt.spend(20)
    made = concat(rt, made, text.slice(from, at))
    if (text[at + 1] === '%') {
      made = concat(rt, made, '%')
      from = at + 2
      continue
    }
    const conversion = conversionAt(text, at + 1)
    made = concat(rt, made, convert(rt, conversion, source, escape, conversion.end - 1))
    from = conversion.end
  }
  if (!source.isDone()) fail('TypeError', 'not all arguments converted during string formatting')
  made = concat(rt, made, text.slice(from))
  return typeof format === 'string' ? made : markup(made)
}
