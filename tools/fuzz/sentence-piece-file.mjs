// @ts-check
/** Writes SentencePiece models of what JSON says, so that they can be changed and lengthened as JSON is. */
import { asNumber, asText } from './input.mjs'
import { parsedContainer } from './mutate-json.mjs'

const [VARINT, LENGTH, FOUR_BYTES] = [0, 2, 5]

/** An integer of 64 bits in groups of seven bits. @param {number} value */
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

/** @param {unknown} piece a list of text, score and type */
function pieceOf(piece) {
  const [text, score, type] = Array.isArray(piece) ? piece : [piece]
  return bytes(1, Buffer.concat([bytes(1, Buffer.from(asText(text))), float(2, score), integer(3, type ?? 1)]))
}

/**
 * A SentencePiece model, a message of Protocol Buffers.
 * @param {string} pieces a list in JSON of `[text, score, type]` @param {string} settings an object in JSON of the fields of the
 *   trainer's specification by number, `{ "3": 1 }` for a unigram model
 */
export function sentencePieceOf(pieces, settings) {
  const fields = Object.entries(parsedContainer(settings) ?? {}).filter(([field]) => /^\d{1,3}$/.test(field))
  return Buffer.concat([
    ...Object.values(parsedContainer(pieces) ?? []).map(pieceOf),
    bytes(2, Buffer.concat(fields.map(([field, value]) => integer(Number(field), value)))),
  ])
}
