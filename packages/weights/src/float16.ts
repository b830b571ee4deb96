const word = new Uint32Array(1)
const single = new Float32Array(word.buffer)

/** Converts IEEE 754 half-precision bits to a number. */
export const halfToFloat = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Converts half-precision bits to single-precision bits. */
export function halfToBits(half: number): number {
  const exponent = half & 0x7c00
  // A normal number keeps its fraction; only the exponent bias differs, 15 and 127.
  if (exponent !== 0 && exponent !== 0x7c00) return ((half & 0x8000) << 16) | (((half & 0x7fff) << 13) + 0x38000000)
  single[0] = halfToFloat(half)
  return word[0]!
}

/**
 * Converts a number to half-precision bits, rounding to nearest, ties to even. Values of 65,520 and above become infinity.
 */
export function floatToHalf(value: number): number {
  single[0] = value
  const bits = word[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00
  // Subnormal halves are multiples of 2⁻²⁴; adding 0.5 aligns their last bit with that of a single.
  if (magnitude < 0x38800000) {
    single[0] = Math.abs(value) + 0.5
    return sign | (word[0]! - 0x3f000000)
  }
  const rounded = magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1)
  return sign | (rounded >>> 13)
}
