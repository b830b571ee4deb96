import { fail } from '../failure.js'
import type { Runtime } from '../runtime.js'
import { textOf } from '../values/text-of.js'
import { type Value, floatOf, intOf, kindOf, stringOf, typeName } from '../values/value.js'
import { type FloatStyle, type NumberText, floatText, grouped } from './number-format.js'
import { lengthOf, repeat, slicePoints } from './points.js'

/** A Python format specification: `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`. */
interface Spec {
  readonly fill: string | undefined
  readonly align: string | undefined
  readonly sign: string | undefined
  readonly isPositiveZero: boolean
  readonly isAlternate: boolean
  readonly isZeroFilled: boolean
  readonly width: number
  readonly group: string | undefined
  readonly precision: number | undefined
  readonly type: string
}

const SPEC = /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?(.)?$/su

function parse(text: string, of: string): Spec {
  const match = SPEC.exec(text)
  if (match === null) return fail('ValueError', `invalid format specifier '${text}' for object of type '${of}'`)
  const [, fill, align, sign, z, alternate, zero, width, group, precision, type] = match
  return {
    fill: fill ?? (zero === undefined ? undefined : '0'),
    align,
    sign,
    isPositiveZero: z !== undefined,
    isAlternate: alternate !== undefined,
    isZeroFilled: zero !== undefined,
    width: width === undefined ? 0 : Number(width),
    group,
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? '',
  }
}

function aligned(rt: Runtime, before: string, text: string, spec: Spec, align: string): string {
  const missing = spec.width - lengthOf(rt, before + text)
  const fill = spec.fill ?? ' '
  if (missing <= 0) return before + text
  const padding = repeat(rt, fill, missing)
  if (align === '<') return before + text + padding
  if (align === '=') return before + padding + text
  if (align === '>') return padding + before + text
  const left = repeat(rt, fill, missing >> 1)
  return left + before + text + repeat(rt, fill, missing - (missing >> 1))
}

const unknownType = (type: string, of: string): never =>
  fail('ValueError', `Unknown format code '${type}' for object of type '${of}'`)

function formatText(rt: Runtime, text: string, spec: Spec): string {
  if (spec.type !== '' && spec.type !== 's') unknownType(spec.type, 'str')
  if (spec.sign !== undefined || spec.isPositiveZero) fail('ValueError', 'Sign not allowed in string format specifier')
  if (spec.isAlternate) fail('ValueError', 'Alternate form (#) not allowed in string format specifier')
  if (spec.align === '=') fail('ValueError', "'=' alignment not allowed in string format specifier")
  if (spec.group !== undefined) fail('ValueError', `Cannot specify '${spec.group}' with 's'.`)
  const shown =
    spec.precision === undefined ? text : slicePoints(rt, text, 0, Math.min(spec.precision, lengthOf(rt, text)))
  return aligned(rt, '', shown, spec, spec.align ?? '<')
}

function formatNumber(rt: Runtime, { sign, prefix, digits, rest }: NumberText, spec: Spec, group: number): string {
  const before = sign + prefix
  const align = spec.align ?? (spec.isZeroFilled ? '=' : '>')
  const isFilled = spec.fill === '0' && align === '='
  const width = isFilled ? spec.width - before.length - rest.length : 0
  const whole = spec.group === undefined ? digits : grouped(rt, digits, spec.group === ',' ? ',' : '_', group, width)
  return aligned(rt, before, whole + rest, spec, align)
}

const signOf = (isNegative: boolean, { sign }: Spec): NumberText['sign'] =>
  isNegative ? '-' : sign === '+' || sign === ' ' ? sign : ''

const BASES: Readonly<Record<string, readonly [number, string]>> = {
  b: [2, '0b'],
  o: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
}

/** Digits of an int's magnitude in a base. */
export function digitsIn(rt: Runtime, value: number | bigint, base: number): string {
  const text = (value < 0 ? -BigInt(value) : BigInt(value)).toString(base)
  if (base === 10 && text.length > 4300)
    fail('ValueError', 'exceeds the limit (4300 digits) for integer string conversion')
  rt.spend(20 + text.length)
  rt.hold(32 + text.length)
  return text
}

function formatCharacter(rt: Runtime, value: number | bigint, spec: Spec): string {
  if (spec.sign !== undefined) fail('ValueError', "Sign not allowed with integer format specifier 'c'")
  if (spec.isAlternate) fail('ValueError', "Alternate form (#) not allowed with integer format specifier 'c'")
  if (spec.group !== undefined) fail('ValueError', `Cannot specify '${spec.group}' with 'c'.`)
  if (!(value >= 0 && value <= 0x10ffff)) fail('OverflowError', '%c arg not in range(0x110000)')
  return aligned(rt, '', String.fromCodePoint(Number(value)), spec, spec.align ?? (spec.isZeroFilled ? '=' : '>'))
}

function formatInt(rt: Runtime, value: number | bigint, spec: Spec): string {
  const { type } = spec
  if (spec.precision !== undefined) fail('ValueError', 'Precision not allowed in integer format specifier')
  if (spec.isPositiveZero) fail('ValueError', 'Negative zero coercion (z) not allowed in format specifier with integer')
  if (type === 'c') return formatCharacter(rt, value, spec)
  const [base, prefix] = BASES[type] ?? [10, '']
  if (spec.group !== undefined && (type === 'n' || (spec.group === ',' && base !== 10)))
    fail('ValueError', `Cannot specify '${spec.group}' with '${type}'.`)
  const digits = digitsIn(rt, value, base)
  const parts = {
    sign: signOf(value < 0, spec),
    prefix: spec.isAlternate ? prefix : '',
    digits: type === 'X' ? digits.toUpperCase() : digits,
    rest: '',
  }
  return formatNumber(rt, parts, spec, base === 10 ? 3 : 4)
}

function styleOf({ type, precision, isAlternate }: Spec): FloatStyle {
  const lower = type.toLowerCase()
  if (type === '') return { type: precision === undefined ? 'r' : 'n', precision: precision ?? 0, isAlternate }
  const kind = lower === '%' ? 'f' : lower === 'n' ? 'g' : (lower as 'e' | 'f' | 'g')
  return { type: kind, precision: precision ?? 6, isAlternate }
}

function formatFloat(rt: Runtime, value: number, spec: Spec): string {
  const { type } = spec
  if (spec.group !== undefined && type === 'n') fail('ValueError', `Cannot specify '${spec.group}' with 'n'.`)
  const shown = type === '%' ? value * 100 : value
  const text = floatText(rt, shown, styleOf(spec))
  const isUpper = type === 'E' || type === 'F' || type === 'G'
  const rest = (isUpper ? text.rest.toUpperCase() : text.rest) + (type === '%' ? '%' : '')
  const isZero = spec.isPositiveZero && !/[1-9]/.test(text.digits + text.rest.split('e')[0]!)
  const isNegative = (shown < 0 || Object.is(shown, -0)) && !(isZero && Number.isFinite(shown))
  const digits = isUpper ? text.digits.toUpperCase() : text.digits
  return formatNumber(rt, { sign: signOf(isNegative, spec), prefix: '', digits, rest }, spec, 3)
}

/**
 * Python's `format(value, spec)`.
 * @throws Python's ValueError or TypeError for a specification that the value's type does not support
 */
export function formatValue(rt: Runtime, value: Value, specification: string): string {
  if (specification === '') return textOf(rt, value)
  rt.spend(40)
  const text = stringOf(value)
  if (text !== undefined) return formatText(rt, text, parse(specification, 'str'))
  const int = intOf(value)
  if (int === undefined && kindOf(value) !== 'float')
    return fail('TypeError', `unsupported format string passed to ${typeName(value)}.__format__`)
  const spec = parse(specification, typeName(value))
  if (int !== undefined && (spec.type === '' || 'bcdoxXn'.includes(spec.type))) return formatInt(rt, int, spec)
  if (spec.type !== '' && !'eEfFgGn%'.includes(spec.type)) unknownType(spec.type, typeName(value))
  return formatFloat(rt, floatOf(value)!, spec)
}
