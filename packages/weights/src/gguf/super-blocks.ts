import type { HostValues } from '@attune/core'
import type { Storage } from '../storage.js'
import { blocks, halfAt } from './blocks.js'

/** Two bits: 16 scales and minima of four bits each, 64 bytes of numbers, and what multiplies the scales and minima. */
function q2(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const [scale, least] = [halfAt(raw, b + 80), halfAt(raw, b + 82)]
  for (let i = 0; i < 256; i++) {
    const both = raw[b + (i >> 4)]!
    const n = (raw[b + 16 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) << 1)) & 3
    into[at + i] = scale * (both & 15) * n - least * (both >> 4)
  }
}

/** The six bits of scale `j` of 16, in 12 bytes: their low halves in the first 8, two high bits of each in the last 4. */
function sixBits(raw: Uint8Array, b: number, j: number): number {
  const low = j < 8 ? raw[b + j]! & 15 : raw[b + j - 8]! >> 4
  return low | (((raw[b + 8 + (j & 3)]! >> ((j >> 2) << 1)) & 3) << 4)
}

/** Three bits: 32 bytes of third bits (a bit that is not set takes 4 away), 64 bytes of the rest, 16 scales. */
function q3(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const scale = halfAt(raw, b + 108)
  for (let i = 0; i < 256; i++) {
    const low = (raw[b + 32 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) << 1)) & 3
    const third = (raw[b + (i & 31)]! >> (i >> 5)) & 1
    into[at + i] = scale * (sixBits(raw, b + 96, i >> 4) - 32) * (low - (third === 1 ? 0 : 4))
  }
}

/** Scale and minimum `j` of eight, six bits each, in 12 bytes: the last four pairs are split among all of them. */
function pair(raw: Uint8Array, b: number, j: number): readonly [number, number] {
  if (j < 4) return [raw[b + j]! & 63, raw[b + j + 4]! & 63]
  const low = raw[b + j + 4]!
  return [(low & 15) | ((raw[b + j - 4]! >> 6) << 4), (low >> 4) | ((raw[b + j]! >> 6) << 4)]
}

/** Four bits: eight scales and minima, then 32 bytes for two groups of 32 numbers, the low halves' first. */
function q4(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const [scale, least] = [halfAt(raw, b), halfAt(raw, b + 2)]
  for (let j = 0; j < 8; j++) {
    const [by, minus] = pair(raw, b + 4, j)
    for (let l = 0; l < 32; l++) {
      const byte = raw[b + 16 + ((j >> 1) << 5) + l]!
      into[at + 32 * j + l] = scale * by * (j & 1 ? byte >> 4 : byte & 15) - least * minus
    }
  }
}

/** Five bits: as four bits, with 32 bytes of fifth bits, group `j`'s at bit `j`. */
function q5(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const [scale, least] = [halfAt(raw, b), halfAt(raw, b + 2)]
  for (let j = 0; j < 8; j++) {
    const [by, minus] = pair(raw, b + 4, j)
    for (let l = 0; l < 32; l++) {
      const byte = raw[b + 48 + ((j >> 1) << 5) + l]!
      const n = (j & 1 ? byte >> 4 : byte & 15) | (((raw[b + 16 + l]! >> j) & 1) << 4)
      into[at + 32 * j + l] = scale * by * n - least * minus
    }
  }
}

/** Six bits: 128 bytes of low halves, 64 of the two high bits, 16 scales with a sign. */
function q6(raw: Uint8Array, b: number, into: HostValues, at: number): void {
  const scale = halfAt(raw, b + 208)
  for (let i = 0; i < 256; i++) {
    const [half, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31]
    const byte = raw[b + (half << 6) + ((quarter & 1) << 5) + l]!
    const low = quarter < 2 ? byte & 15 : byte >> 4
    const high = (raw[b + 128 + (half << 5) + l]! >> (quarter << 1)) & 3
    const by = (raw[b + 192 + (i >> 4)]! << 24) >> 24
    into[at + i] = scale * by * ((low | (high << 4)) - 32)
  }
}

/** Blocks of 256 numbers in groups of 16 or 32, whose scales (and minima) are quantised too. */
export const SUPER_BLOCKS = {
  Q2_K: blocks(256, 84, q2),
  Q3_K: blocks(256, 110, q3),
  Q4_K: blocks(256, 144, q4),
  Q5_K: blocks(256, 176, q5),
  Q6_K: blocks(256, 210, q6),
} satisfies Record<string, Storage>
