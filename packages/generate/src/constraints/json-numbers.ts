import { wholePattern } from './parse-pattern.js'
import { EMPTY, NOTHING, type Pattern, choice, literal, repeat, sequence, set } from './pattern.js'

/** Digits of the longest integer: `JSON.stringify` writes longer ones with an exponent. */
const MOST_DIGITS = 21
const ZERO = 0x30

const FROM_ZERO = Array.from({ length: 10 }, (_, i) => i)
/** The digits from one to another, by both. */
const DIGITS: readonly (readonly Pattern[])[] = FROM_ZERO.map((from) =>
  FROM_ZERO.map((to) => (from > to ? NOTHING : set([[ZERO + from, ZERO + to]]))),
)
const digit = (from: number, to: number): Pattern => DIGITS[from]?.[to] ?? NOTHING
const digits = (count: number): Pattern => repeat(digit(0, 9), count, count)

/** The numerals from `least` to `most`, both of the same number of digits. */
function between(least: string, most: string): Pattern {
  if (least === '') return EMPTY
  if (/^0*$/.test(least) && /^9*$/.test(most)) return digits(least.length)
  const [low, high] = [Number(least[0]), Number(most[0])]
  const rest = least.length - 1
  if (low === high) return sequence(digit(low, low), between(least.slice(1), most.slice(1)))
  return choice(
    sequence(digit(low, low), between(least.slice(1), '9'.repeat(rest))),
    sequence(digit(low + 1, high - 1), digits(rest)),
    sequence(digit(high, high), between('0'.repeat(rest), most.slice(1))),
  )
}

/** The numerals of whole numbers from `least` ≥ 0 to `most`, without leading zeros. */
function unsigned(least: bigint, most: bigint): Pattern {
  if (least > most) return NOTHING
  const lengths = Array.from({ length: MOST_DIGITS }, (_, i) => i + 1)
  return choice(
    ...lengths.map((length) => {
      const first = length === 1 ? 0n : 10n ** BigInt(length - 1)
      const last = 10n ** BigInt(length) - 1n
      const [from, to] = [least > first ? least : first, most < last ? most : last]
      return from > to ? NOTHING : between(String(from), String(to))
    }),
  )
}

const LARGEST = 10n ** BigInt(MOST_DIGITS) - 1n

const clamped = (bound: number): bigint =>
  bound >= Number(LARGEST) ? LARGEST : bound <= -Number(LARGEST) ? -LARGEST : BigInt(bound)

/**
 * Whole numbers in JSON from `least` to `most`, with up to 21 digits; the bounds may be infinite and need not be whole. Zero
 * has no sign.
 */
export function integers(least: number, most: number): Pattern {
  const [from, to] = [clamped(Math.ceil(least)), clamped(Math.floor(most))]
  const negative = unsigned(to < 0n ? -to : 1n, -from)
  return choice(unsigned(from > 0n ? from : 0n, to), sequence(literal('-'), negative))
}

/** Numbers of JSON that are finite in double precision, each as `JSON.stringify` spells it and some more. */
export const numbers = (withSign: boolean): Pattern => {
  const plain = '(?:0|[1-9]\\d{0,20})(?:\\.\\d{1,25})?'
  // Up to, not including, 1e308: beyond 1.8e308 is what a double cannot hold.
  const exponent = '[1-9](?:\\.\\d{1,20})?[eE](?:\\+?(?:[1-9]\\d?|[12]\\d\\d|30[0-7])|-[1-9]\\d{0,2})'
  return wholePattern(`${withSign ? '-?' : ''}(?:${plain}|${exponent})`)
}
