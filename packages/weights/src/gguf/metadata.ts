import { excerpt } from '@attune/core'
import type { Cursor } from './cursor.js'

/** A metadata value of a GGUF file. Unsafe integers are bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[]

/** The metadata of a GGUF file. */
export interface GgufMetadata {
  /** Values by key, without oversized values that are not needed. */
  readonly values: ReadonlyMap<string, GgufValue>
  /** Returns the value of a key. Throws `BAD_GGUF` if it was skipped as oversized. */
  get(key: string): GgufValue | undefined
}

const MAXIMUM_KEYS = 65_536
/** Total number of array items: four times that of the largest vocabularies with merges. */
const MAXIMUM_ITEMS = 8_000_000
/** Total size of all strings: twenty times that of the largest vocabularies. */
const MAXIMUM_BYTES = 256 * 1024 * 1024
const MAXIMUM_DEPTH = 4
const [TEXT, ARRAY] = [8, 9]

/** Keys with unlimited values: the tokenizer data. */
const LONG_KEYS: ReadonlySet<string> = new Set([
  ...['tokens', 'scores', 'token_type', 'merges', 'precompiled_charsmap'].map((name) => `tokenizer.ggml.${name}`),
  'tokenizer.chat_template',
])
/** The limit of the format. */
const MAXIMUM_KEY_BYTES = 65_535
/** Limits of items and string bytes per value, for other keys. */
const [SHORT_ARRAY, SHORT_TEXT] = [1024, 65_536]

interface NumberType {
  readonly bytes: number
  readonly get: (view: DataView, at: number) => GgufValue
}

const wide =
  (get: (view: DataView, at: number) => bigint): NumberType['get'] =>
  (view, at) => {
    const value = get(view, at)
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  }

/** Number and boolean types, by type id. */
const NUMBERS: Readonly<Record<number, NumberType>> = {
  0: { bytes: 1, get: (view, at) => view.getUint8(at) },
  1: { bytes: 1, get: (view, at) => view.getInt8(at) },
  2: { bytes: 2, get: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, get: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, get: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, get: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, get: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, get: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, get: wide((view, at) => view.getBigUint64(at, true)) },
  11: { bytes: 8, get: wide((view, at) => view.getBigInt64(at, true)) },
  12: { bytes: 8, get: (view, at) => view.getFloat64(at, true) },
}

/** Remaining limits of a file and of one of its values. */
interface Limits {
  readonly file: { items: number; bytes: number }
  readonly value: { items: number; bytes: number }
}

/** Marks a skipped value. */
const SKIPPED = Symbol('skipped')
type Parsed = GgufValue | typeof SKIPPED

function readText(at: Cursor, limits: Limits, bytes = at.count()): Parsed {
  limits.value.bytes -= bytes
  if (limits.value.bytes < 0 || bytes > at.remaining) {
    at.skip(bytes)
    return SKIPPED
  }
  limits.file.bytes -= bytes
  if (limits.file.bytes < 0) at.reject(`its strings have more than ${MAXIMUM_BYTES} bytes`)
  return at.text(bytes)
}

/** Number of numbers to read at a time. */
const CHUNK = 65_536

function readNumbers(at: Cursor, { bytes, get }: NumberType, length: number): GgufValue[] {
  const items: GgufValue[] = []
  while (items.length < length) {
    const count = Math.min(CHUNK, length - items.length)
    const view = at.take(count * bytes)
    for (let i = 0; i < count; i++) items.push(get(view, i * bytes))
  }
  return items
}

/** Reads an array: the item type, the length, and the items. */
function readArray(at: Cursor, limits: Limits, depth: number): Parsed {
  const type = at.uint32()
  const length = at.count()
  const numbers = NUMBERS[type]
  if (type !== TEXT && type !== ARRAY && numbers === undefined) at.reject(`it has an array of unknown type ${type}`)
  const itemBytes = numbers?.bytes ?? (type === ARRAY ? 12 : 8) // the minimum
  if (depth > MAXIMUM_DEPTH) at.reject(`it has arrays nested more than ${MAXIMUM_DEPTH} deep`)
  if (length * itemBytes > at.remaining)
    at.reject(`it has an array of ${length} items, but only ${at.remaining} bytes follow`)
  limits.value.items -= length
  if (numbers !== undefined && limits.value.items < 0) {
    at.skip(length * itemBytes)
    return SKIPPED
  }
  limits.file.items -= length
  if (limits.file.items < 0) at.reject(`its arrays have more than ${MAXIMUM_ITEMS} items`)
  if (numbers !== undefined) return readNumbers(at, numbers, length)
  const items: Parsed[] = []
  for (let i = 0; i < length; i++) {
    const item = type === TEXT ? readText(at, limits) : readArray(at, limits, depth + 1)
    if (limits.value.items >= 0) items.push(item)
  }
  return limits.value.items < 0 || items.includes(SKIPPED) ? SKIPPED : (items as GgufValue[])
}

function readValue(at: Cursor, type: number, limits: Limits): Parsed {
  if (type === TEXT) return readText(at, limits)
  if (type === ARRAY) return readArray(at, limits, 1)
  const numbers = NUMBERS[type] ?? at.reject(`it has a value of unknown type ${type}`)
  return numbers.get(at.take(numbers.bytes), 0)
}

function readKey(at: Cursor, file: Limits['file']): string {
  const bytes = at.count()
  if (bytes > MAXIMUM_KEY_BYTES) at.reject(`it has a key of ${bytes} bytes, more than ${MAXIMUM_KEY_BYTES}`)
  return readText(at, { file, value: { items: 0, bytes } }, bytes) as string
}

/** Reads `count` keys with their values. Oversized values are skipped, except tokenizer data. */
export function readMetadata(at: Cursor, count: number): GgufMetadata {
  if (count > MAXIMUM_KEYS) at.reject(`it has ${count} keys, more than ${MAXIMUM_KEYS}`)
  const values = new Map<string, GgufValue>()
  const skipped = new Set<string>()
  const file = { items: MAXIMUM_ITEMS, bytes: MAXIMUM_BYTES }
  for (let i = 0; i < count; i++) {
    const key = readKey(at, file)
    if (values.has(key) || skipped.has(key)) at.reject(`it has the key ${excerpt(key, 100)} twice`)
    const isUnlimited = LONG_KEYS.has(key)
    const value = isUnlimited ? { items: Infinity, bytes: Infinity } : { items: SHORT_ARRAY, bytes: SHORT_TEXT }
    const parsed = readValue(at, at.uint32(), { file, value })
    if (parsed === SKIPPED) skipped.add(key)
    else values.set(key, parsed)
  }
  return {
    values,
    get(key) {
      if (skipped.has(key)) at.reject(`its ${excerpt(key, 100)} exceeds the size limit of a setting`)
      return values.get(key)
    },
  }
}
