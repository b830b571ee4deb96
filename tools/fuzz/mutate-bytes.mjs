// @ts-check
/** Mutates bytes, especially the first ones, where formats store lengths and counts. */
import { below, pick } from './random.mjs'

/** @import { Random } from './random.mjs' */

const WORDS = [
  0n,
  1n,
  2n,
  7n,
  8n,
  255n,
  65_536n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 53n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
]

/** A wrong length, as 64 bits. @param {Random} random */
export const falseLength = (random) => pick(WORDS, random)

/** A random offset, half of the time among the first 400. @param {number} length @param {Random} random */
const offset = (length, random) => below(random() < 0.5 ? Math.min(length, 400) : length, random)

/** Offsets of small 64-bit integers, such as lengths and counts. @param {Buffer} bytes */
export function lengthsIn(bytes) {
  const found = []
  for (let at = 0; at + 8 <= Math.min(bytes.length, 20_000); at++)
    if (bytes[at] !== 0 && bytes.readUInt32LE(at + 4) === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0)
      found.push(at)
  return found
}

/** @param {Buffer} bytes @param {Random} random @returns {Buffer} */
function changedLength(bytes, random) {
  const lengths = lengthsIn(bytes)
  const at = lengths.length === 0 ? below(bytes.length - 7, random) : pick(lengths, random)
  const near = bytes.readBigUInt64LE(at) + BigInt(below(9, random) - 4)
  bytes.writeBigUInt64LE(random() < 0.5 ? falseLength(random) : BigInt.asUintN(64, near), at)
  return bytes
}

/** @param {Buffer} bytes @param {Random} random @returns {Buffer} */
function changeOnce(bytes, random) {
  if (bytes.length < 16) return bytes
  const at = offset(bytes.length, random)
  switch (below(8, random)) {
    case 0:
      bytes[at] ^= 1 << below(8, random)
      return bytes
    case 1:
      bytes[at] = below(256, random)
      return bytes
    case 2:
      bytes.writeBigUInt64LE(falseLength(random), Math.min(at, bytes.length - 8))
      return bytes
    case 3:
    case 4:
      return changedLength(bytes, random)
    case 5:
      return bytes.subarray(0, at)
    case 6:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + below(40, random)))])
    default: {
      const from = offset(bytes.length, random)
      bytes.copyWithin(at, from, from + below(64, random))
      return bytes
    }
  }
}

/** A mutated copy. @param {Buffer} seed @param {Random} random @returns {Buffer} */
export function changedBytes(seed, random) {
  /** @type {Buffer} */
  let bytes = Buffer.from(seed)
  for (let n = 1 + below(4, random); n > 0; n--) bytes = changeOnce(bytes, random)
  return bytes
}
