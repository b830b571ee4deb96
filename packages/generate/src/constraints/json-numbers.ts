import { wholePattern } from './parse-pattern.js'
import { EMPTY, NOTHING, type Pattern, choice, literal, repeat, sequence, set } from './pattern.js'

/** Digits of the longest integer: `JSON.stringify` spells longer ones with an exponent. */
const MAX_DIGITS = 21
const ZERO = 0x30

const FROM_ZERO = Array.from({ length: 10 }, (_, i) => i)
/** Digit ranges, by first and last digit. */
const DIGITS: readonly (readonly Pattern[])[] = FROM_ZERO.map((from) =>
  FROM_ZERO.map((to) => (from > to ? NOTHING : set([[ZERO + from, ZERO + to]]))),
)
const digit = (from: number, to: number): Pattern => DIGITS[from]?.[to] ?? NOTHING
const digits = (count: number): Pattern => repeat(digit(0, 9), count, count)

/** Numerals from `min` to `max`, both with the same number of digits. */
function between(min: string, max: string): Pattern {
  if (min === '') return EMPTY
  if (/^0*$/.test(min) && /^9*$/.test(max)) return digits(min.length)
  const [low, high] = [Number(min[0]), Number(max[0])]
  const rest = min.length - 1
  if (low === high) return sequence(digit(low, low), between(min.slice(1), max.slice(1)))
  return choice(
    sequence(digit(low, low), between(min.slice(1), '9'.repeat(rest))),
    sequence(digit(low + 1, high - 1), digits(rest)),
    sequence(digit(high, high), between('0'.repeat(rest), max.slice(1))),
  )
}

/** Numerals of the integers from `min` ≥ 0 to `max`, without leading zeros. */
function unsigned(min: bigint, max: bigint): Pattern {
  if (min > max) return NOTHING
  const lengths = Array.from({ length: MAX_DIGITS }, (_, i) => i + 1)
  return choice(
    ...lengths.map((length) => {
      const first = length === 1 ? 0n : 10n ** BigInt(length - 1)
      const last = 10n ** BigInt(length) - 1n
      const [from, to] = [min > first ? min : first, max < last ? max : last]
      return from > to ? NOTHING : between(String(from), String(to))
    }),
  )
}

const LARGEST = 10n ** BigInt(MAX_DIGITS) - 1n

const clamped = (bound: number): bigint =>
  bound >= Number(LARGEST) ? LARGEST : bound <= -Number(LARGEST) ? -LARGEST : BigInt(bound)

/**
 * JSON integers from `min` to `max`, with up to 21 digits; the bounds may be infinite or fractional. Zero has no sign.
 */
export function integers(min: number, max: number): Pattern {
  const [from, to] = [clamped(Math.ceil(min)), clamped(Math.floor(max))]
  const negative = unsigned(to < 0n ? -to : 1n, -from)
  return choice(unsigned(from > 0n ? from : 0n, to), sequence(literal('-'), negative))
}

/** JSON numbers that are finite in double precision, each as `JSON.stringify` spells it, and some other spellings. */
export const numbers = (withSign: boolean): Pattern => {
  const plain = '(?:0|[1-9]\\d{0,20})(?:\\.\\d{1,25})?'
  // Below 1e308: the largest double is about 1.8e308.
  const exponent = '[1-9](?:\\.\\d{1,20})?[eE](?:\\+?(?:[1-9]\\d?|[12]\\d\\d|30[0-7])|-[1-9]\\d{0,2})'
  return wholePattern(`${withSign ? '-?' : ''}(?:${plain}|${exponent})`)
}
