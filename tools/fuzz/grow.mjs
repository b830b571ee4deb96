// @ts-check
/** Grows a more costly input from a costly one: parts are repeated, lengthened, nested, spliced and scaled. */
import { grownJson } from './grow-json.mjs'
import { grownText } from './grow-text.mjs'
import { sizeOf } from './input.mjs'
import { changedPart } from './mutate.mjs'
import { below, magnitude, pick } from './random.mjs'

/** @import { Input } from './input.mjs' */
/** @import { Random } from './random.mjs' */

/** A longer or shorter copy. @param {Buffer} bytes @param {Buffer} other to splice with @param {number} most maximum number of bytes @param {Random} random @returns {Buffer} */
export function grownBytes(bytes, other, most, random) {
  const room = Math.max(0, most - bytes.length)
  const at = below(bytes.length + 1, random)
  const slice = bytes.subarray(at, at + magnitude(1, 2000, random))
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (below(4, random)) {
    case 0: {
      const count = magnitude(1, Math.max(1, Math.min(1000, room / Math.max(1, slice.length))), random)
      return Buffer.concat([before, ...Array.from({ length: count }, () => slice), after])
    }
    case 1:
      return Buffer.concat([
        before,
        Buffer.alloc(magnitude(1, Math.max(1, room), random), pick([0, 1, 32, 97, 255], random)),
        after,
      ])
    case 2:
      return Buffer.concat([before, other.subarray(below(other.length + 1, random))])
    default:
      return Buffer.concat([before, bytes.subarray(at + slice.length)])
  }
}

/** @param {string | Buffer} part @param {string | Buffer} other @param {number} most @param {Random} random */
function grownPart(part, other, most, random) {
  if (typeof part !== 'string') return grownBytes(part, Buffer.from(other), most, random)
  const grow = random() < 0.75 ? grownJson : grownText
  return grow(part, String(other), most, random)
}

/**
 * Copies an input with one to four changes, most of which lengthen it.
 * @param {Input} input @param {Input} other another input of the same reader, to splice with
 * @param {number} most size of the result, as {@link sizeOf} counts it @param {Random} random
 * @returns {Input}
 */
export function grownInput(input, other, most, random) {
  const names = Object.keys(input)
  /** @type {Record<string, string | Buffer>} */
  let grown = { ...input }
  for (let changes = 1 + below(4, random); changes > 0; changes--) {
    const name = pick(names, random)
    const part = grown[name]
    const next =
      random() < 0.15
        ? changedPart(part, random)
        : grownPart(part, other[name] ?? part, part.length + Math.max(0, most - sizeOf(grown)), random)
    const changed = { ...grown, [name]: next }
    if (sizeOf(changed) <= 1.1 * most) grown = changed
  }
  return grown
}
