import { type Pattern, type MachineEdge, set } from './pattern.js'
import { badSchema } from './schema.js'

const MAX_STATES = 5000

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))

/** A factor as `numerator / 2^power`; `undefined` if binary arithmetic cannot divide by it exactly. */
function dyadic(factor: number): readonly [numerator: number, power: number] | undefined {
  for (let power = 0; power <= 4; power++) {
    const numerator = factor * 2 ** power
    if (Number.isSafeInteger(numerator)) return [numerator, power]
  }
  return undefined
}

/** Smallest common multiple of two positive numbers with dyadic fractions. */
export function commonMultiple(a: number, b: number, at: string): number {
  const [first, second] = [dyadic(a), dyadic(b)]
  if (first === undefined || second === undefined) throw inexact(first === undefined ? a : b, at)
  const scale = 2 ** Math.max(first[1], second[1])
  const [x, y] = [a * scale, b * scale]
  return (x / divisor(x, y)) * (y / scale)
}

const inexact = (factor: number, at: string): Error =>
  badSchema(
    `multipleOf must be an integer or a fraction such as 0.5 or 0.25, got ${factor}`,
    at,
    'Use an integer, in a smaller unit, or a `pattern`.',
  )

/**
 * Decimals, without an exponent, that are multiples of a factor: an automaton over the remainder of the digits read.
 * @throws AttuneError `BAD_SCHEMA` for factors that binary arithmetic cannot divide by exactly
 */
export function multiples(factor: number, at: string): Pattern {
  const found = dyadic(factor)
  if (found === undefined) throw inexact(factor, at)
  const [numerator, power] = found
  // With `power` digits after the point, a multiple is divisible by this as an integer.
  const modulus = numerator * 5 ** power
  if (modulus * (power + 1) > MAX_STATES)
    throw badSchema(`multipleOf must be at most ${MAX_STATES}, got ${factor}`, at, 'Use a larger unit.')
  // 0: start; 1: after the sign; then by digits after the point and remainder, first without a point.
  const stateOf = (digits: number, remainder: number): number => 2 + (digits + 1) * modulus + remainder
  const edges: MachineEdge[] = [{ from: 0, part: set([[0x2d, 0x2d]]), to: 1 }]
  const accepting: boolean[] = [false, false]
  for (const from of [0, 1])
    for (let digit = 0; digit < 10; digit++)
      edges.push({ from, part: set([[0x30 + digit, 0x30 + digit]]), to: stateOf(-1, digit % modulus) })
  for (let digits = -1; digits <= power; digits++)
    for (let remainder = 0; remainder < modulus; remainder++) {
      const from = stateOf(digits, remainder)
      accepting[from] = digits !== 0 && (remainder * 10 ** (power - Math.max(digits, 0))) % modulus === 0
      if (digits === -1 && power > 0) edges.push({ from, part: set([[0x2e, 0x2e]]), to: stateOf(0, remainder) })
      if (digits === power) continue
      for (let digit = 0; digit < 10; digit++) {
        if (digits === -1) {
          edges.push({ from, part: DIGITS[digit]!, to: stateOf(-1, (remainder * 10 + digit) % modulus) })
          continue
        }
        edges.push({ from, part: DIGITS[digit]!, to: stateOf(digits + 1, (remainder * 10 + digit) % modulus) })
      }
    }
  return { kind: 'machine', size: accepting.length, edges, accepting }
}

const DIGITS: readonly Pattern[] = Array.from({ length: 10 }, (_, i) => set([[0x30 + i, 0x30 + i]]))
