// @ts-check
/** Writes GGUF files from JSON, so that they can be mutated and grown like JSON. */
import { asNumber, asText } from './input.mjs'
import { parsedContainer } from './mutate-json.mjs'

const [UINT32, FLOAT32, BOOL, STRING, ARRAY, INT64] = [4, 6, 7, 8, 9, 11]

/** @param {number | bigint} value */
function uint64(value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, typeof value === 'bigint' ? value : BigInt(Math.trunc(value))))
  return bytes
}

/** @param {number} value */
function uint32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

/** @param {number} value */
function float32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}

/** @param {unknown} value */
const text = (value) => {
  const bytes = Buffer.from(asText(value))
  return Buffer.concat([uint64(bytes.length), bytes])
}

const isSafe = (/** @type {number} */ value) => Number.isSafeInteger(Math.trunc(value)) && Number.isInteger(value)

/** GGUF type of a value. @param {unknown} value */
function typeOf(value) {
  if (typeof value === 'string') return STRING
  if (typeof value === 'boolean') return BOOL
  if (Array.isArray(value)) return ARRAY
  if (typeof value !== 'number') return STRING
  return !isSafe(value) ? FLOAT32 : value < 0 || value >= 2 ** 32 ? INT64 : UINT32
}

/** Maximum depth of nested arrays; the depth alone of deeper ones makes readers refuse them. */
const DEEPEST = 100

/** Encodes a value of a type, without the type tag. @param {unknown} value @param {number} type @param {number} depth @returns {Buffer} */
function encoded(value, type, depth) {
  if (type === STRING) return text(value)
  if (type === BOOL) return Buffer.from([value === true ? 1 : 0])
  if (type === UINT32) return uint32(asNumber(value))
  if (type === INT64) return uint64(isSafe(asNumber(value)) ? asNumber(value) : 0)
  if (type === FLOAT32) return float32(asNumber(value))
  const items = Array.isArray(value) && depth < DEEPEST ? value : []
  const itemType = items.length === 0 ? UINT32 : items.some((item) => typeOf(item) === ARRAY) ? ARRAY : typeOf(items[0])
  return Buffer.concat([
    uint32(itemType),
    uint64(items.length),
    ...items.map((item) => encoded(item, itemType, depth + 1)),
  ])
}

/** @param {any} tensor */
function info(tensor) {
  const { name, shape, type, offset } = tensor !== null && typeof tensor === 'object' ? tensor : {}
  const sizes = Array.isArray(shape) ? shape : []
  const count = (/** @type {unknown} */ value) => uint64(isSafe(asNumber(value)) ? asNumber(value) : 2n ** 63n)
  return Buffer.concat([text(name), uint32(sizes.length), ...sizes.map(count), uint32(asNumber(type)), count(offset)])
}

/** A GGUF file. @param {string} metadata JSON object @param {string} tensors JSON array of `{ name, shape, type, offset }` @param {Buffer} data */
export function ggufOf(metadata, tensors, data) {
  const entries = Object.entries(parsedContainer(metadata) ?? {})
  const infos = Object.values(parsedContainer(tensors) ?? [])
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(3),
    uint64(infos.length),
    uint64(entries.length),
    ...entries.flatMap(([key, value]) => [text(key), uint32(typeOf(value)), encoded(value, typeOf(value), 0)]),
    ...infos.map(info),
  ])
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), data])
}
