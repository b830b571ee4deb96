import type { Cursor } from './cursor.js'

/** What stands in the metadata of a GGUF file. Whole numbers beyond 2⁵³ are bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[]

/** The metadata of a GGUF file by key. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>

const MOST_KEYS = 65_536
/** In all arrays together: four times what the largest vocabularies with their merges take. */
const MOST_ITEMS = 8_000_000
const DEEPEST = 4
const ARRAY = 9

interface ValueType {
  /** The least that one takes. */
  readonly bytes: number
  readonly read: (at: Cursor) => GgufValue
}

const number = (bytes: number, get: (view: DataView) => number): ValueType => ({
  bytes,
  read: (at) => get(at.take(bytes)),
})

const wide = (get: (view: DataView) => bigint): ValueType => ({
  bytes: 8,
  read: (at) => {
    const value = get(at.take(8))
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  },
})

/** By the numbers that the format gives them; 9 is the array. */
const TYPES: Readonly<Record<number, ValueType>> = {
  0: number(1, (view) => view.getUint8(0)),
  1: number(1, (view) => view.getInt8(0)),
  2: number(2, (view) => view.getUint16(0, true)),
  3: number(2, (view) => view.getInt16(0, true)),
  4: number(4, (view) => view.getUint32(0, true)),
  5: number(4, (view) => view.getInt32(0, true)),
  6: number(4, (view) => view.getFloat32(0, true)),
  7: { bytes: 1, read: (at) => at.take(1).getUint8(0) !== 0 },
  8: { bytes: 8, read: (at) => at.text() },
  10: wide((view) => view.getBigUint64(0, true)),
  11: wide((view) => view.getBigInt64(0, true)),
  12: number(8, (view) => view.getFloat64(0, true)),
}

/** An array: the type of its items, how many there are, and they. */
function readArray(at: Cursor, budget: { items: number }, depth: number): readonly GgufValue[] {
  const type = at.uint32()
  const length = at.count()
  const least = type === ARRAY ? 12 : (TYPES[type]?.bytes ?? at.refuse(`it has an array of values of type ${type}`))
  if (depth > DEEPEST) at.refuse(`it has arrays in arrays, more than ${DEEPEST} deep`)
  if (length * least > at.left) at.refuse(`it has an array of ${length} items, and ${at.left} bytes follow`)
  budget.items -= length
  if (budget.items < 0) at.refuse(`its arrays have more than ${MOST_ITEMS} items`)
  const items: GgufValue[] = []
  for (let i = 0; i < length; i++) items.push(type === ARRAY ? readArray(at, budget, depth + 1) : TYPES[type]!.read(at))
  return items
}

/** Reads so many keys with their values. */
export function readMetadata(at: Cursor, count: number): GgufMetadata {
  if (count > MOST_KEYS) at.refuse(`it has ${count} keys, more than ${MOST_KEYS}`)
  const metadata = new Map<string, GgufValue>()
  const budget = { items: MOST_ITEMS }
  for (let i = 0; i < count; i++) {
    const key = at.text()
    if (metadata.has(key)) at.refuse(`it has the key ${JSON.stringify(key.slice(0, 100))} twice`)
    const type = at.uint32()
    if (type !== ARRAY && !Object.hasOwn(TYPES, type)) at.refuse(`it has a value of type ${type}`)
    metadata.set(key, type === ARRAY ? readArray(at, budget, 1) : TYPES[type]!.read(at))
  }
  return metadata
}
