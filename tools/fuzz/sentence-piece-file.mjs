// @ts-check
/** Writes SentencePiece models from JSON, so that they can be mutated and grown like JSON. */
import { asNumber, asText } from './input.mjs'
import { parsedContainer } from './mutate-json.mjs'

const [VARINT, LENGTH, FOUR_BYTES] = [0, 2, 5]

/** A 64-bit varint: groups of seven bits. @param {number} value */
function varint(value) {
  const bytes = []
  let left = BigInt.asUintN(64, BigInt(Number.isFinite(value) ? Math.trunc(value) : 0))
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128)
  return Buffer.from([...bytes, Number(left)])
}

/** @param {number} field @param {number} wire @param {Buffer} content */
const encoded = (field, wire, content) => Buffer.concat([varint(8 * field + wire), content])

/** @param {number} field @param {unknown} value */
const integer = (field, value) => encoded(field, VARINT, varint(asNumber(value)))

/** @param {number} field @param {Buffer} content */
const bytes = (field, content) => encoded(field, LENGTH, Buffer.concat([varint(content.length), content]))

/** @param {number} field @param {unknown} value */
function float(field, value) {
  const content = Buffer.alloc(4)
  content.writeFloatLE(asNumber(value))
  return encoded(field, FOUR_BYTES, content)
}

/** @param {unknown} entry a list of text, score and type */
function entryOf(entry) {
  const [text, score, type] = Array.isArray(entry) ? entry : [entry]
  return bytes(1, Buffer.concat([bytes(1, Buffer.from(asText(text))), float(2, score), integer(3, type ?? 1)]))
}

/**
 * A SentencePiece model (Protocol Buffers).
 * @param {string} vocabulary JSON list of `[text, score, type]` @param {string} settings JSON object with fields of the trainer spec by
 *   number: `{ "3": 1 }` for a unigram model
 */
export function sentencePieceOf(vocabulary, settings) {
  const fields = Object.entries(parsedContainer(settings) ?? {}).filter(([field]) => /^\d{1,3}$/.test(field))
  return Buffer.concat([
    ...Object.values(parsedContainer(vocabulary) ?? []).map(entryOf),
    bytes(2, Buffer.concat(fields.map(([field, value]) => integer(Number(field), value)))),
  ])
}
