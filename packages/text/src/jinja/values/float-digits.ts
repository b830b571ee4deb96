/** Maximum number of fraction digits other than trailing zeros of any float. */
const EXACT_DIGITS = 1100

/** Magnitude of a float as an integer times a power of two. */
function partsOf(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(value))
  const bits = view.getBigUint64(0)
  const biased = Number(bits >> 52n)
  const fraction = bits & ((1n << 52n) - 1n)
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 }
}

/** Magnitude of a float times a power of ten, rounded to the nearest integer, ties to even. */
function scaled(value: number, power: number): bigint {
  const { mantissa, exponent } = partsOf(value)
  const up = (mantissa << BigInt(Math.max(exponent, 0))) * 10n ** BigInt(Math.max(power, 0))
  const down = (1n << BigInt(Math.max(-exponent, 0))) * 10n ** BigInt(Math.max(-power, 0))
  const [quotient, rest] = [up / down, (up % down) * 2n]
  const isUp = rest > down || (rest === down && (quotient & 1n) === 1n)
  return isUp ? quotient + 1n : quotient
}

/** Magnitude of a finite float with a fixed number of digits after the point: `%f`. */
export function fixed(value: number, precision: number): string {
  const exact = Math.min(precision, EXACT_DIGITS)
  const digits = scaled(value, exact)
    .toString()
    .padStart(exact + 1, '0')
  const whole = digits.slice(0, digits.length - exact)
  return precision === 0 ? whole : `${whole}.${digits.slice(digits.length - exact).padEnd(precision, '0')}`
}

/** Digits of a finite float, and the exponent of the first digit. */
export interface Digits {
  readonly digits: string
  readonly exponent: number
}

/** Magnitude of a finite float, rounded to a number of significant digits. */
export function significant(value: number, count: number): Digits {
  if (value === 0) return { digits: '0'.repeat(count), exponent: 0 }
  const exact = Math.min(count, EXACT_DIGITS)
  const guess = Number(value.toExponential().split('e')[1])
  const at = (exponent: number): Digits => ({ digits: scaled(value, exact - 1 - exponent).toString(), exponent })
  const first = at(guess)
  const { digits, exponent } =
    first.digits.length === exact ? first : at(first.digits.length > exact ? guess + 1 : guess - 1)
  return { digits: digits.padEnd(count, '0'), exponent }
}

/** Shortest digits that round-trip to a finite float. */
export function shortest(value: number): Digits {
  const [digits, exponent] = Math.abs(value).toExponential().split('e')
  return { digits: digits!.replace('.', ''), exponent: Number(exponent) }
}

/** Formats digits as `d.ddde±xx`. */
export function exponential({ digits, exponent }: Digits, hasPoint: boolean = false): string {
  const fraction = digits.length > 1 || hasPoint ? `.${digits.slice(1)}` : ''
  return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** Formats digits as `ddd.ddd`, without an exponent. */
export function positional({ digits, exponent }: Digits): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** `nan` or `inf` for a float that is not finite. */
export const nonFinite = (value: number): string => (Number.isNaN(value) ? 'nan' : 'inf')

/** Rounds a float to a number of digits after the point, ties to even like Python's `round`. */
export function floatRepr(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : `${sign}inf`
  const digits = shortest(value)
  if (digits.exponent < -4 || digits.exponent >= 16) return sign + exponential(digits)
  const text = positional(digits)
  return `${sign}${text.includes('.') ? text : `${text}.0`}`
}

/** A float rounded to this many digits after the point, ties to even as Python's `round` does. */
export function roundFloat(value: number, precision: number): number {
  if (!Number.isFinite(value) || precision > 400) return value
  if (precision < -400) return value < 0 || Object.is(value, -0) ? -0 : 0
  const rounded = Number(`${scaled(value, precision)}e${-precision}`)
  return value < 0 || Object.is(value, -0) ? -rounded : rounded
}
