import { fail } from '../failure.js'
import type { Runtime } from '../runtime.js'

/** A Python int: a number if it is a safe integer, else a bigint. */
export type Int = number | bigint

/** Maximum size of ints that a template may compute, in bits. */
const MAXIMUM_BITS = 65_536
const LARGEST = 1n << BigInt(MAXIMUM_BITS)
/** Maximum number of digits in Python's conversions between texts and ints. */
const MAXIMUM_DIGITS = 4300
const LONGEST = 10n ** BigInt(MAXIMUM_DIGITS)

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

/** Converts a bigint to an int: a number if that is safe. */
export function normalize(value: bigint): Int {
  if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return Number(value)
  if (magnitude(value) >= LARGEST) fail('OverflowError', `integers of more than ${MAXIMUM_BITS} bits are not supported`)
  return value
}

/** Result of number arithmetic if it is exact, else that of bigint arithmetic. */
const exact = (result: number, slow: () => bigint): Int =>
  Number.isSafeInteger(result) ? (result === 0 ? 0 : result) : normalize(slow())

const bitsOf = (value: Int): number => {
  if (typeof value === 'number') return value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1
  return 4 * magnitude(value).toString(16).length
}

/** Charges for an operation on two large integers. */
function chargeLarge(rt: Runtime, left: Int, right: Int): void {
  if (typeof left === 'number' && typeof right === 'number') return
  const [a, b] = [bitsOf(left) >> 5, bitsOf(right) >> 5]
  rt.spend(40 + a + b + ((a * b) >> 3))
  rt.hold(32 + 8 * (a + b))
}

type Operation = (rt: Runtime, left: Int, right: Int) => Int

const isSmall = (value: Int): value is number => typeof value === 'number'

/** Python's `+` of ints. */
export const addInts: Operation = (rt, left, right) => {
  chargeLarge(rt, left, right)
  const slow = (): bigint => BigInt(left) + BigInt(right)
  return isSmall(left) && isSmall(right) ? exact(left + right, slow) : normalize(slow())
}

/** Python's `-` of ints. */
export const subtractInts: Operation = (rt, left, right) => {
  chargeLarge(rt, left, right)
  const slow = (): bigint => BigInt(left) - BigInt(right)
  return isSmall(left) && isSmall(right) ? exact(left - right, slow) : normalize(slow())
}

/** Python's `*` of ints. */
export const multiplyInts: Operation = (rt, left, right) => {
  chargeLarge(rt, left, right)
  const slow = (): bigint => BigInt(left) * BigInt(right)
  return isSmall(left) && isSmall(right) ? exact(left * right, slow) : normalize(slow())
}

/** Python's `%`: the remainder has the sign of the divisor. */
export const moduloInts: Operation = (rt, left, right) => {
  chargeLarge(rt, left, right)
  if (isSmall(left) && isSmall(right)) {
    if (right === 0) fail('ZeroDivisionError', 'integer modulo by zero')
    const remainder = left % right
    return remainder === 0 ? 0 : remainder < 0 !== right < 0 ? remainder + right : remainder
  }
  const [a, b] = [BigInt(left), BigInt(right)]
  if (b === 0n) fail('ZeroDivisionError', 'integer modulo by zero')
  const remainder = a % b
  return normalize(remainder !== 0n && remainder < 0n !== b < 0n ? remainder + b : remainder)
}

/** Python's `//`: the quotient is rounded down. */
export const floorDivideInts: Operation = (rt, left, right) => {
  chargeLarge(rt, left, right)
  const b = BigInt(right)
  if (b === 0n) fail('ZeroDivisionError', 'integer division or modulo by zero')
  if (isSmall(left) && isSmall(right)) {
    const whole = left - Number(moduloInts(rt, left, right))
    if (Number.isSafeInteger(whole)) return exact(whole / right, () => BigInt(whole) / b)
  }
  return normalize((BigInt(left) - BigInt(moduloInts(rt, left, right))) / b)
}

/** Python's `**` with a non-negative exponent. */
export const powerInts: Operation = (rt, left, right) => {
  if (left === 0 || left === 1) return right === 0 ? 1 : left
  if (left === -1) return moduloInts(rt, right, 2) === 0 ? 1 : -1
  const bits = (bitsOf(left) - 1) * Number(right)
  if (!(bits <= MAXIMUM_BITS)) fail('OverflowError', `integers of more than ${MAXIMUM_BITS} bits are not supported`)
  const words = bits >> 5
  rt.spend(40 + ((words * words) >> 2))
  rt.hold(32 + 8 * words)
  return normalize(BigInt(left) ** BigInt(right))
}

/** Quotient rounded to the nearest float, ties to even; `down` is not zero. */
export function ratio(rt: Runtime, up: Int, down: Int): number {
  if (isSmall(up) && isSmall(down)) return up / down
  chargeLarge(rt, up, down)
  rt.spend(1000)
  const [a, b] = [magnitude(BigInt(up)), magnitude(BigInt(down))]
  const sign = BigInt(up) < 0n === BigInt(down) < 0n ? 1 : -1
  // Enough quotient bits for a float, plus a sticky bit for the remainder.
  const shift = Math.max(-1010, Math.min(1076, 64 - (bitsOf(a) - bitsOf(b))))
  const quotient = shift >= 0 ? (a << BigInt(shift)) / b : a / (b << BigInt(-shift))
  const isExact = shift >= 0 ? quotient * b === a << BigInt(shift) : quotient * (b << BigInt(-shift)) === a
  const result = Number((quotient << 1n) | (isExact ? 0n : 1n)) / 2
  const scaled = shift > 1000 ? result / 2 ** 1000 / 2 ** (shift - 1000) : result / 2 ** shift
  if (scaled === Infinity) fail('OverflowError', 'integer division result too large for a float')
  return sign * scaled
}

/** Converts an int to a float. */
export function toFloat(value: Int): number {
  const number = Number(value)
  return Number.isFinite(number) ? number : fail('OverflowError', 'int too large to convert to float')
}

/** Truncates a float to an int: `int(x)`. */
export function truncate(value: number): Int {
  if (Number.isNaN(value)) fail('ValueError', 'cannot convert float NaN to integer')
  if (!Number.isFinite(value)) fail('OverflowError', 'cannot convert float infinity to integer')
  const whole = Math.trunc(value)
  return Number.isSafeInteger(whole) ? (whole === 0 ? 0 : whole) : normalize(BigInt(whole))
}

/** Decimal digits of an int: `str(x)`. */
export function digitsOf(rt: Runtime, value: Int): string {
  if (typeof value === 'number') {
    rt.spend(16)
    rt.hold(32)
    return String(value)
  }
  if (magnitude(value) >= LONGEST)
    fail('ValueError', `exceeds the limit (${MAXIMUM_DIGITS} digits) for integer string conversion`)
  rt.spend(bitsOf(value))
  rt.hold(2 * bitsOf(value))
  return value.toString()
}

/**
 * Parses an int literal: decimal, or hexadecimal, octal or binary with a prefix.
 * @throws Python's ValueError for more than 4,300 decimal digits
 */
export function integerFrom(literal: string): Int {
  const isDecimal = literal[0] !== '0'
  if (literal.length > (isDecimal ? MAXIMUM_DIGITS : MAXIMUM_BITS / 4))
    fail('ValueError', `exceeds the limit (${MAXIMUM_DIGITS} digits) for integer string conversion`)
  return normalize(BigInt(literal))
}
