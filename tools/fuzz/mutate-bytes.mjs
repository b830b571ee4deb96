// @ts-check
/** Changes bytes, most of all those at the beginning, where formats keep their lengths. */
import { below, pick } from './mutate-json.mjs'

/** @typedef {() => number} Random */

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

/** A place in so many bytes, every second time among the first. @param {number} length @param {Random} random */
const place = (length, random) => below(random() < 0.5 ? Math.min(length, 400) : length, random)

/** Places where a small whole number of 64 bits stands, as lengths and counts do. @param {Buffer} bytes */
export function lengthsIn(bytes) {
  const found = []
  for (let at = 0; at + 8 <= Math.min(bytes.length, 20_000); at++)
    if (bytes[at] !== 0 && bytes.readUInt32LE(at + 4) === 0 && bytes[at + 2] === 0 && bytes[at + 3] === 0)
      found.push(at)
  return found
}

/** @param {Buffer} bytes @param {number[]} lengths @param {Random} random @returns {Buffer} */
function changeOnce(bytes, lengths, random) {
  if (bytes.length < 16) return bytes
  const at = place(bytes.length, random)
  switch (below(8, random)) {
    case 0:
      bytes[at] ^= 1 << below(8, random)
      return bytes
    case 1:
      bytes[at] = below(256, random)
      return bytes
    case 2:
      bytes.writeBigUInt64LE(pick(WORDS, random), Math.min(at, bytes.length - 8))
      return bytes
    case 3:
    case 4: {
      // A length lies: by a little, or by a lot.
      const spot = lengths.length === 0 ? at : pick(lengths, random)
      if (spot + 8 > bytes.length) return bytes
      const near = bytes.readBigUInt64LE(spot) + BigInt(below(9, random) - 4)
      bytes.writeBigUInt64LE(random() < 0.5 ? pick(WORDS, random) : BigInt.asUintN(64, near), spot)
      return bytes
    }
    case 5:
      return bytes.subarray(0, at)
    case 6:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + below(40, random)))])
    default: {
      const from = place(bytes.length, random)
      bytes.copyWithin(at, from, from + below(64, random))
      return bytes
    }
  }
}

/** A changed copy. @param {Buffer} seed @param {number[]} lengths of the seed @param {Random} random */
export function changedBytes(seed, lengths, random) {
  /** @type {Buffer} */
  let bytes = Buffer.from(seed)
  for (let n = 1 + below(4, random); n > 0; n--) bytes = changeOnce(bytes, lengths, random)
  return bytes
}

/** The bytes of a safetensors file, whose header may lie about its length. @param {string} header @param {Uint8Array} data @param {Random} random */
export function safetensorsOf(header, data, random) {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(random() < 0.05 ? pick(WORDS, random) : BigInt(text.length))
  return Buffer.concat([length, text, data])
}
