import { asInt } from '../arguments.js'
import { CAUGHT, fail, isFailure } from '../failure.js'
import type { Runtime } from '../runtime.js'
import { binary, unary } from '../values/arithmetic.js'
import { fixed, roundFloat } from '../values/float-digits.js'
import { type Int, normalize, truncate } from '../values/integers.js'
import { parseFloatText, parseInteger } from '../values/parse-number.js'
import { isTrue } from '../values/sequence.js'
import { type Value, float, floatOf, intOf, isUndefined, kindOf, stringOf, typeName } from '../values/value.js'
import { type Filters, filter } from './filter.js'

/** Python's `float(value)`. */
function toFloatValue(rt: Runtime, value: Value): number {
  const text = stringOf(value)
  if (text !== undefined) return parseFloatText(rt, text)
  if (isUndefined(value)) return value.raise(rt)
  return (
    floatOf(value) ?? fail('TypeError', `float() argument must be a string or a real number, not '${typeName(value)}'`)
  )
}

/** Python's `int(value)`. */
function toInt(rt: Runtime, value: Value, base: Value): Int {
  const text = stringOf(value)
  if (text !== undefined) return parseInteger(rt, text, asInt(base))
  if (isUndefined(value)) return value.raise(rt)
  const int = intOf(value)
  if (int !== undefined) return int
  if (kindOf(value) === 'float') return truncate(floatOf(value)!)
  return fail('TypeError', `int() argument must be a string or a real number, not '${typeName(value)}'`)
}

function intFilter(rt: Runtime, value: Value, other: Value, base: Value): Value {
  try {
    return toInt(rt, value, base)
  } catch (error) {
    if (!isFailure(error, 'TypeError', 'ValueError')) throw error
    rt.spend(CAUGHT)
  }
  try {
    return truncate(toFloatValue(rt, value))
  } catch (error) {
    if (!isFailure(error, 'TypeError', 'ValueError', 'OverflowError')) throw error
    rt.spend(CAUGHT)
    return other
  }
}

function floatFilter(rt: Runtime, value: Value, other: Value): Value {
  try {
    return float(toFloatValue(rt, value))
  } catch (error) {
    if (!isFailure(error, 'TypeError', 'ValueError')) throw error
    rt.spend(CAUGHT)
    return other
  }
}

/** Rounds an int to a negative number of digits, ties to even. */
function roundInt(value: Int, precision: number): Int {
  if (precision >= 0) return value
  if (precision < -5000) return 0
  const unit = 10n ** BigInt(-precision)
  const int = BigInt(value)
  const rest = ((int % unit) + unit) % unit
  const down = int - rest
  const isUp = rest * 2n > unit || (rest * 2n === unit && (down / unit) % 2n !== 0n)
  return normalize(isUp ? down + unit : down)
}

function round(rt: Runtime, value: Value, precision: Value, method: Value): Value {
  const name = stringOf(method)
  if (name !== 'common' && name !== 'ceil' && name !== 'floor')
    return fail('FilterArgumentError', 'method must be common, ceil or floor')
  const int = intOf(value)
  rt.spend(typeof int === 'bigint' ? 100_000 : 4000)
  if (name === 'common') {
    if (int !== undefined) return precision === null ? int : roundInt(int, asInt(precision))
    if (kindOf(value) !== 'float') fail('TypeError', `type ${typeName(value)} doesn't define __round__ method`)
    if (precision === null) return truncate(roundFloat(floatOf(value)!, 0))
    return float(roundFloat(floatOf(value)!, asInt(precision)))
  }
  const factor = binary(rt, '**', 10, precision)
  const scaled = binary(rt, '*', value, factor)
  const exact = intOf(scaled)
  const number = exact === undefined ? floatOf(scaled) : undefined
  if (exact === undefined && number === undefined) fail('TypeError', `must be real number, not ${typeName(scaled)}`)
  const whole = exact ?? truncate(name === 'ceil' ? Math.ceil(number!) : Math.floor(number!))
  return binary(rt, '/', whole, factor)
}

const SIZES = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']

function fileSize(rt: Runtime, value: Value, isBinary: boolean): string {
  const bytes = toFloatValue(rt, value)
  const base = isBinary ? 1024 : 1000
  rt.spend(1000)
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${truncate(bytes)} Bytes`
  const at = SIZES.findIndex((_, power) => bytes < Number(BigInt(base) ** BigInt(power + 2)))
  const power = at < 0 ? SIZES.length - 1 : at
  const shown = (base * bytes) / Number(BigInt(base) ** BigInt(power + 2))
  const letter = SIZES[power]!
  const size = Number.isFinite(shown) ? fixed(shown, 1) : Number.isNaN(shown) ? 'nan' : 'inf'
  return `${size} ${isBinary ? letter.toUpperCase() : letter}${isBinary ? 'iB' : 'B'}`
}

/** Number filters. */
export const numberFilters: Filters = {
  abs: filter('', (rt, value) => {
    const number = intOf(value) ?? floatOf(value)
    if (number === undefined) return fail('TypeError', `bad operand type for abs(): '${typeName(value)}'`)
    return number < 0 || Object.is(number, -0) ? unary(rt, '-', value) : unary(rt, '+', value)
  }),
  filesizeformat: filter('binary?', (rt, value, [isBinary]) =>
    fileSize(rt, value, isBinary !== undefined && isTrue(rt, isBinary)),
  ),
  float: filter('default?', (rt, value, [other]) => floatFilter(rt, value, other === undefined ? float(0) : other)),
  int: filter('default? base?', (rt, value, [other = 0, base = 10]) => intFilter(rt, value, other, base)),
  round: filter('precision? method?', (rt, value, [precision = 0, method = 'common']) =>
    round(rt, value, precision, method),
  ),
}
