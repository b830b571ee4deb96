import { fail } from '../failure.js'
import type { Runtime } from '../runtime.js'
import { type Float, type Value, float, tuple } from '../values/value.js'
import { type Methods, method } from './method.js'

type Int = number | bigint | boolean

const magnitude = (value: Int): bigint => {
  const int = BigInt(value)
  return int < 0n ? -int : int
}

/** Binary digits of an int's magnitude. */
function bitsOf(rt: Runtime, value: Int): string {
  if (typeof value === 'bigint') {
    rt.spend(65_536)
    rt.hold(65_536)
  }
  return magnitude(value).toString(2)
}

/** Methods of ints and bools. */
export const intMethods: Methods<Int> = {
  bit_length: method('/', (rt, self) => (magnitude(self) === 0n ? 0 : bitsOf(rt, self).length)),
  bit_count: method('/', (rt, self) => bitsOf(rt, self).replaceAll('0', '').length),
  conjugate: method('/', (_, self) => (typeof self === 'boolean' ? Number(self) : self)),
  as_integer_ratio: method('/', (_, self) => tuple([typeof self === 'boolean' ? Number(self) : self, 1])),
}

/** Numerator and denominator of a finite float, in lowest terms. */
function fractionOf(value: number): readonly [bigint, bigint] {
  let [up, down] = [value, 1n]
  while (!Number.isInteger(up)) [up, down] = [up * 2, down * 2n]
  return [BigInt(up), down]
}

const plain = (value: bigint): Value =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value

function hexadecimal(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (value === 0) return `${sign}0x0.0p+0`
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(value))
  const bits = view.getBigUint64(0)
  const biased = Number(bits >> 52n)
  const fraction = (bits & ((1n << 52n) - 1n)).toString(16).padStart(13, '0')
  const exponent = biased === 0 ? -1022 : biased - 1023
  return `${sign}0x${biased === 0 ? 0 : 1}.${fraction}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
}

/** Methods of floats. */
export const floatMethods: Methods<Float> = {
  is_integer: method('/', (_, { value }) => Number.isInteger(value)),
  conjugate: method('/', (_, { value }) => float(value)),
  hex: method('/', (rt, { value }) => {
    rt.spend(300)
    return hexadecimal(value)
  }),
  as_integer_ratio: method('/', (rt, { value }) => {
    if (!Number.isFinite(value)) fail('OverflowError', 'cannot convert infinity or NaN to integer ratio')
    rt.spend(10_000)
    return tuple(fractionOf(value).map(plain))
  }),
}
