import { excerpt } from '@attune/core'
import type { Cursor } from './cursor.js'

/** What stands in the metadata of a GGUF file. Whole numbers beyond 2⁵³ are bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[]

/** The metadata of a GGUF file. */
export interface GgufMetadata {
  /** By key: all but long values that nothing reads. */
  readonly values: ReadonlyMap<string, GgufValue>
  /** The value of a key. Refuses the file if it was too long to be kept. */
  get(key: string): GgufValue | undefined
}

const MOST_KEYS = 65_536
/** In all arrays together: four times what the largest vocabularies with their merges take. */
const MOST_ITEMS = 8_000_000
/** In all texts together: twenty times what the largest vocabularies take. */
const MOST_BYTES = 256 * 1024 * 1024
const DEEPEST = 4
const [TEXT, ARRAY] = [8, 9]

/** Keys whose values may be long: what a tokenizer is made of. */
const LONG_KEYS: ReadonlySet<string> = new Set([
  ...['tokens', 'scores', 'token_type', 'merges'].map((name) => `tokenizer.ggml.${name}`),
  'tokenizer.chat_template',
])
/** As the format has it. */
const LONGEST_KEY = 65_535
/** Of other keys values of up to so many items are kept, and texts of up to so many bytes. */
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

/** The types of numbers and truth values, by the numbers that the format gives them. */
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

/** What may still be kept of a file, and of one of its values. */
interface Room {
  readonly file: { items: number; bytes: number }
  readonly value: { items: number; bytes: number }
}

/** Stands for a value that is passed over. */
const PASSED = Symbol('passed over')
type Read = GgufValue | typeof PASSED

function readText(at: Cursor, room: Room, bytes = at.count()): Read {
  room.value.bytes -= bytes
  if (room.value.bytes < 0 || bytes > at.left) {
    at.skip(bytes)
    return PASSED
  }
  room.file.bytes -= bytes
  if (room.file.bytes < 0) at.refuse(`its texts have more than ${MOST_BYTES} bytes`)
  return at.text(bytes)
}

/** Numbers that are read at a time. */
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

/** An array: the type of its items, how many there are, and they. */
function readArray(at: Cursor, room: Room, depth: number): Read {
  const type = at.uint32()
  const length = at.count()
  const numbers = NUMBERS[type]
  if (type !== TEXT && type !== ARRAY && numbers === undefined) at.refuse(`it has an array of values of type ${type}`)
  const least = numbers?.bytes ?? (type === ARRAY ? 12 : 8)
  if (depth > DEEPEST) at.refuse(`it has arrays in arrays, more than ${DEEPEST} deep`)
  if (length * least > at.left) at.refuse(`it has an array of ${length} items, and ${at.left} bytes follow`)
  room.value.items -= length
  if (numbers !== undefined && room.value.items < 0) {
    at.skip(length * least)
    return PASSED
  }
  room.file.items -= length
  if (room.file.items < 0) at.refuse(`its arrays have more than ${MOST_ITEMS} items`)
  if (numbers !== undefined) return readNumbers(at, numbers, length)
  const items: Read[] = []
  for (let i = 0; i < length; i++) {
    const item = type === TEXT ? readText(at, room) : readArray(at, room, depth + 1)
    if (room.value.items >= 0) items.push(item)
  }
  return room.value.items < 0 || items.includes(PASSED) ? PASSED : (items as GgufValue[])
}

function readValue(at: Cursor, type: number, room: Room): Read {
  if (type === TEXT) return readText(at, room)
  if (type === ARRAY) return readArray(at, room, 1)
  const numbers = NUMBERS[type] ?? at.refuse(`it has a value of type ${type}`)
  return numbers.get(at.take(numbers.bytes), 0)
}

function readKey(at: Cursor, file: Room['file']): string {
  const bytes = at.count()
  if (bytes > LONGEST_KEY) at.refuse(`it has a key of ${bytes} bytes, more than ${LONGEST_KEY}`)
  return readText(at, { file, value: { items: 0, bytes } }, bytes) as string
}

/** Reads so many keys with their values. Long values are passed over unless a tokenizer is made of them. */
export function readMetadata(at: Cursor, count: number): GgufMetadata {
  if (count > MOST_KEYS) at.refuse(`it has ${count} keys, more than ${MOST_KEYS}`)
  const values = new Map<string, GgufValue>()
  const passed = new Set<string>()
  const file = { items: MOST_ITEMS, bytes: MOST_BYTES }
  for (let i = 0; i < count; i++) {
    const key = readKey(at, file)
    if (values.has(key) || passed.has(key)) at.refuse(`it has the key ${excerpt(key, 100)} twice`)
    const whole = LONG_KEYS.has(key)
    const value = whole ? { items: Infinity, bytes: Infinity } : { items: SHORT_ARRAY, bytes: SHORT_TEXT }
    const read = readValue(at, at.uint32(), { file, value })
    if (read === PASSED) passed.add(key)
    else values.set(key, read)
  }
  return {
    values,
    get(key) {
      if (passed.has(key)) at.refuse(`its ${excerpt(key, 100)} is longer than any such setting`)
      return values.get(key)
    },
  }
}
