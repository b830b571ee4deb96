import { fail } from '../failure.js'
import { type Runtime, charge } from '../runtime.js'
import { digitOf, endOfText, skipSpaces } from '../text/characters.js'
import { type Int, normalize } from './integers.js'

/** Maximum number of digits for Python's `int`, unless the base is a power of two. */
const MAXIMUM_DIGITS = 4300
/** Maximum number of digits in other bases. */
const LONGEST = 16_384

const PREFIXES: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16 }
const DECIMALS = /\p{Nd}/gu

/** Strips whitespace and converts decimal digits to ASCII. */
function clean(rt: Runtime, text: string): string {
  charge(rt, text)
  const start = skipSpaces(text, 0)
  const inner = text.slice(start, endOfText(text, start))
  if (!/\P{ASCII}/u.test(inner)) return inner
  rt.spend(600 * inner.length)
  rt.hold(8 * inner.length)
  return inner.replace(DECIMALS, (digit) => String(digitOf(digit)))
}

function valueOf(digits: string, base: number): bigint {
  if (base === 10) return BigInt(digits)
  let value = 0n
  for (const digit of digits) value = value * BigInt(base) + BigInt(parseInt(digit, 36))
  return value
}

/**
 * Python's `int(text, base)`.
 * @throws Python's ValueError for a text that is not an integer
 */
export function parseInteger(rt: Runtime, text: string, base: number): Int {
  if (base !== 0 && !(base >= 2 && base <= 36)) fail('ValueError', 'int() base must be >= 2 and <= 36, or 0')
  const invalid = (): never => fail('ValueError', `invalid literal for int() with base ${base}`)
  const inner = clean(rt, text)
  const [, sign, prefix, rest] = /^([+-]?)(0[bBoOxX])?([^]*)$/.exec(inner)!
  const named = prefix === undefined ? undefined : PREFIXES[prefix[1]!.toLowerCase()]
  const isPrefixed = named !== undefined && (base === 0 || base === named)
  const body = isPrefixed ? rest! : (prefix ?? '') + rest!
  const radix = isPrefixed ? named : base === 0 ? 10 : base
  if (!/^_?[0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*$/.test(body) || (body[0] === '_' && !isPrefixed)) return invalid()
  const digits = body.replaceAll('_', '')
  if (base === 0 && !isPrefixed && /^0+[1-9]/.test(digits)) return invalid()
  const isPower = (radix & (radix - 1)) === 0
  if (digits.length > (isPower ? LONGEST : MAXIMUM_DIGITS))
    fail('ValueError', `exceeds the limit (${MAXIMUM_DIGITS} digits) for integer string conversion`)
  if (Array.from(digits).some((digit) => parseInt(digit, 36) >= radix)) return invalid()
  rt.spend(20 * digits.length + ((digits.length * digits.length) >> 4))
  rt.hold(8 * digits.length)
  const value = valueOf(digits, radix)
  return normalize(sign === '-' ? -value : value)
}

const FLOAT = /^[+-]?(?:(?:\d+(?:_\d+)*)?\.\d+(?:_\d+)*|\d+(?:_\d+)*\.?)(?:[eE][+-]?\d+(?:_\d+)*)?$/
const WORD = /^([+-]?)(?:(inf|infinity)|nan)$/i

/**
 * Python's `float(text)`.
 * @throws Python's ValueError for a text that is not a number
 */
export function parseFloatText(rt: Runtime, text: string): number {
  const inner = clean(rt, text)
  rt.spend(4 * inner.length)
  const word = WORD.exec(inner)
  if (word !== null) return word[2] === undefined ? NaN : word[1] === '-' ? -Infinity : Infinity
  if (!FLOAT.test(inner)) fail('ValueError', 'could not convert string to float')
  return Number(inner.replaceAll('_', ''))
}
