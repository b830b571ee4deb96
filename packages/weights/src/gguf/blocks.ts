import type { HostValues } from '@attune/core'
import { halfToFloat } from '../float16.js'
import type { Storage } from '../storage.js'

/** Decodes the block at byte `b` of `raw` into `into` from element `at` on. */
type DecodeBlock = (raw: Uint8Array, b: number, into: HostValues, at: number) => void

/** Storage in quantized blocks. Values are computed exactly in double precision and rounded once, when stored. */
export const blocks = (elements: number, bytes: number, decode: DecodeBlock): Storage => ({
  elements,
  bytes,
  dtype: 'float32',
  decode(raw, into, at) {
    for (let b = 0; b < raw.length; b += bytes, at += elements) decode(raw, b, into, at)
    return undefined
  },
})

/** Returns the half-precision number at byte `b`. */
export const halfAt = (raw: Uint8Array, b: number): number => halfToFloat(raw[b]! | (raw[b + 1]! << 8))

/** Unpacks 32 four-bit values: the low nibbles of 16 bytes, then the high ones. */
const unpackNibbles = (raw: Uint8Array, b: number, write: (i: number, nibble: number) => void): void => {
  for (let i = 0; i < 16; i++) {
    write(i, raw[b + i]! & 15)
    write(i + 16, raw[b + i]! >> 4)
  }
}

/** Returns the fifth bit of value `i` of 32, shifted to its position (0 or 16). */
const fifthBit = (raw: Uint8Array, b: number, i: number): number => ((raw[b + (i >> 3)]! >> (i & 7)) & 1) << 4

const q4Zero: DecodeBlock = (raw, b, into, at) => {
  const scale = halfAt(raw, b)
  unpackNibbles(raw, b + 2, (i, n) => (into[at + i] = scale * (n - 8)))
}

const q4One: DecodeBlock = (raw, b, into, at) => {
  const [scale, minimum] = [halfAt(raw, b), halfAt(raw, b + 2)]
  unpackNibbles(raw, b + 4, (i, n) => (into[at + i] = scale * n + minimum))
}

const q5Zero: DecodeBlock = (raw, b, into, at) => {
  const scale = halfAt(raw, b)
  unpackNibbles(raw, b + 6, (i, n) => (into[at + i] = scale * ((n | fifthBit(raw, b + 2, i)) - 16)))
}

const q5One: DecodeBlock = (raw, b, into, at) => {
  const [scale, minimum] = [halfAt(raw, b), halfAt(raw, b + 2)]
  unpackNibbles(raw, b + 8, (i, n) => (into[at + i] = scale * (n | fifthBit(raw, b + 4, i)) + minimum))
}

const q8Zero: DecodeBlock = (raw, b, into, at) => {
  const scale = halfAt(raw, b)
  for (let i = 0; i < 32; i++) into[at + i] = scale * ((raw[b + 2 + i]! << 24) >> 24)
}

/** Blocks of 32 values with one scale: `scale · n`, and `scale · n + minimum` for the types ending in 1. */
export const SIMPLE_BLOCKS = {
  Q4_0: blocks(32, 18, q4Zero),
  Q4_1: blocks(32, 20, q4One),
  Q5_0: blocks(32, 22, q5Zero),
  Q5_1: blocks(32, 24, q5One),
  Q8_0: blocks(32, 34, q8Zero),
} satisfies Record<string, Storage>
