import { type Runtime, chargeText } from '../runtime.js'
import { exponential, fixed, positional, shortest, significant, nonFinite } from '../values/float-digits.js'

/** A formatted number in parts: sign, base prefix, integer digits and the rest. */
export interface NumberText {
  readonly sign: '' | '-' | '+' | ' '
  readonly prefix: string
  /** Digits before the decimal point. */
  readonly digits: string
  /** Decimal point, fraction and exponent. */
  readonly rest: string
}

/** Format of a float. */
export interface FloatStyle {
  /** `e`, `f`, `g`, `r` for the shortest round-trip digits, or `n` for these with at least one after the point. */
  readonly type: 'e' | 'f' | 'g' | 'r' | 'n'
  readonly precision: number
  /** True to keep the point, and with `g` the trailing zeros. */
  readonly isAlternate: boolean
}

const withoutZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

function general(value: number, { type, precision, isAlternate }: FloatStyle): string {
  const count = precision === 0 ? 1 : precision
  const { digits, exponent } = significant(value, count)
  const isExponential = exponent < -4 || exponent >= (type === 'n' ? count - 1 : count)
  if (isAlternate) {
    if (isExponential) return exponential({ digits, exponent }, true)
    const text = positional({ digits, exponent })
    return text.includes('.') ? text : `${text}.`
  }
  const kept = digits.replace(/0+$/, '') || '0'
  if (isExponential) return exponential({ digits: kept, exponent })
  const text = withoutZeros(positional({ digits, exponent }))
  return type === 'n' && !text.includes('.') ? `${text}.0` : text
}

function magnitude(value: number, style: FloatStyle): string {
  const { type, precision, isAlternate } = style
  if (type === 'f') return fixed(value, precision) + (isAlternate && precision === 0 ? '.' : '')
  if (type === 'e') return exponential(significant(value, precision + 1), isAlternate)
  if (type !== 'r') return general(value, style)
  const digits = shortest(value)
  if (digits.exponent < -4 || digits.exponent >= 16) return exponential(digits)
  const text = positional(digits)
  return text.includes('.') ? text : `${text}.0`
}

/** Digits of a float, without its sign. */
export function floatText(
  rt: Runtime,
  value: number,
  style: FloatStyle,
): { readonly digits: string; readonly rest: string } {
  if (!Number.isFinite(value)) return { digits: nonFinite(value), rest: '' }
  chargeText(rt, 400 + Math.max(0, style.precision))
  rt.spend(1000 + 10 * Math.min(1100, style.precision))
  const text = magnitude(value, style)
  const end = text.search(/[.e]/)
  return end < 0 ? { digits: text, rest: '' } : { digits: text.slice(0, end), rest: text.slice(end) }
}

/** Inserts a separator between groups of digits, and pads with zeros to `width` characters. */
export function grouped(rt: Runtime, digits: string, separator: string, size: number, width: number): string {
  const length = Math.max(digits.length, width)
  chargeText(rt, 2 * length)
  rt.spend((20 * length) / size)
  rt.hold((100 * length) / size)
  let [left, missing, text] = [digits.length, width, '']
  for (;;) {
    const count = Math.min(size, Math.max(left, missing, 1))
    const taken = Math.min(count, left)
    text = '0'.repeat(count - taken) + digits.slice(left - taken, left) + (text === '' ? '' : separator + text)
    left -= taken
    missing -= count
    if (left <= 0 && missing <= 0) return text
    missing -= separator.length
  }
}
