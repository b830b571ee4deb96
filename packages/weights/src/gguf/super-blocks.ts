import type { HostValues } from '@attune/core'
import type { Storage } from '../storage.js'
import { blocks, halfAt } from './blocks.js'

/** Two bits: 16 scales and minima of four bits each, 64 bytes of values, and the super-scales of the scales and minima. */
function q2(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const [scale, minimum] = [halfAt(raw, b + 80), halfAt(raw, b + 82)]
  for (let i = 0; i < 256; i++) {
    const both = raw[b + (i >> 4)]!
    const n = (raw[b + 16 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) << 1)) & 3
    into[at + i] = scale * (both & 15) * n - minimum * (both >> 4)
  }
}

/** Unpacks six-bit scale `j` of 16 from 12 bytes: low nibbles in the first 8, two high bits of each in the last 4. */
function sixBits(raw: Uint8Array, b: number, j: number): number {
  const low = j < 8 ? raw[b + j]! & 15 : raw[b + j - 8]! >> 4
  return low | (((raw[b + 8 + (j & 3)]! >> ((j >> 2) << 1)) & 3) << 4)
}

/** Three bits: 32 bytes of third bits (an unset bit subtracts 4), 64 bytes of low bits, 16 scales. */
function q3(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const scale = halfAt(raw, b + 108)
  for (let i = 0; i < 256; i++) {
    const low = (raw[b + 32 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) << 1)) & 3
    const third = (raw[b + (i & 31)]! >> (i >> 5)) & 1
    into[at + i] = scale * (sixBits(raw, b + 96, i >> 4) - 32) * (low - (third === 1 ? 0 : 4))
  }
}

/** Unpacks scale and minimum `j` of eight, six bits each, from 12 bytes; the bits of the last four are spread over all. */
function scaleAndMinimum(raw: Uint8Array, b: number, j: number): readonly [number, number] {
  if (j < 4) return [raw[b + j]! & 63, raw[b + j + 4]! & 63]
  const low = raw[b + j + 4]!
  return [(low & 15) | ((raw[b + j - 4]! >> 6) << 4), (low >> 4) | ((raw[b + j]! >> 6) << 4)]
}

/** Four bits: eight scales and minima, then 32 bytes per two groups of 32 values, low nibbles first. */
function q4(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const [scale, minimum] = [halfAt(raw, b), halfAt(raw, b + 2)]
  for (let j = 0; j < 8; j++) {
    const [factor, offset] = scaleAndMinimum(raw, b + 4, j)
    for (let l = 0; l < 32; l++) {
      const byte = raw[b + 16 + ((j >> 1) << 5) + l]!
      into[at + 32 * j + l] = scale * factor * (j & 1 ? byte >> 4 : byte & 15) - minimum * offset
    }
  }
}

/** Five bits: like four bits, with 32 bytes of fifth bits, those of group `j` at bit `j`. */
function q5(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const [scale, minimum] = [halfAt(raw, b), halfAt(raw, b + 2)]
  for (let j = 0; j < 8; j++) {
    const [factor, offset] = scaleAndMinimum(raw, b + 4, j)
    for (let l = 0; l < 32; l++) {
      const byte = raw[b + 48 + ((j >> 1) << 5) + l]!
      const n = (j & 1 ? byte >> 4 : byte & 15) | (((raw[b + 16 + l]! >> j) & 1) << 4)
      into[at + 32 * j + l] = scale * factor * n - minimum * offset
    }
  }
}

/** Six bits: 128 bytes of low nibbles, 64 of the two high bits, 16 signed scales. */
function q6(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const scale = halfAt(raw, b + 208)
  for (let i = 0; i < 256; i++) {
    const [half, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31]
    const byte = raw[b + (half << 6) + ((quarter & 1) << 5) + l]!
    const low = quarter < 2 ? byte & 15 : byte >> 4
    const high = (raw[b + 128 + (half << 5) + l]! >> (quarter << 1)) & 3
    const factor = (raw[b + 192 + (i >> 4)]! << 24) >> 24
    into[at + i] = scale * factor * ((low | (high << 4)) - 32)
  }
}

/** K-quants: blocks of 256 values in groups of 16 or 32, with quantized scales (and minima). */
export const SUPER_BLOCKS = {
  Q2_K: blocks(256, 84, q2),
  Q3_K: blocks(256, 110, q3),
  Q4_K: blocks(256, 144, q4),
  Q5_K: blocks(256, 176, q5),
  Q6_K: blocks(256, 210, q6),
} satisfies Record<string, Storage>
