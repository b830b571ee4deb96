import { fail } from '../failure.js'
import { type Runtime, charge, holdText } from '../runtime.js'
import { type Dict, type Key, type Tuple, type Value, typeName } from './value.js'

/** A lone surrogate, with which no text decoded from UTF-8 begins; marks keys that are not texts. */
const MARK = '\ud800'

/**
 * The `Map` key of a text. V8's hashes of integers, digit strings and bigints are predictable and can be made to collide; the
 * hash of a prefixed key depends on a secret of the process.
 */
export function textKey(text: string): Key {
  const first = text.charCodeAt(0)
  return first === 0xd800 || (first >= 48 && first <= 57) ? `${MARK}s${text}` : text
}

function numberKey(rt: Runtime, value: number | bigint): Key {
  const whole =
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value
  const digits = whole.toString(typeof whole === 'bigint' ? 16 : 10)
  rt.spend(30 + digits.length)
  return `${MARK}${typeof whole === 'bigint' ? 'i' : 'n'}${digits}`
}

function tupleKey(rt: Runtime, { items }: Tuple, depth: number): Key {
  rt.spend(8 * items.length)
  const parts = items.map((item) => {
    const key = keyOf(rt, item, depth + 1)
    if (typeof key === 'object' && key !== null)
      return fail('NotSupported', 'tuples with objects are not supported as keys')
    const text = String(key)
    return `${typeof key}${text.length}:${text}`
  })
  const key = `${MARK}t${parts.join('')}`
  charge(rt, key)
  return key
}

/**
 * The `Map` key of a value in a dict.
 * @throws Python's TypeError for unhashable values
 */
export function keyOf(rt: Runtime, value: Value, depth: number = 0): Key {
  if (typeof value === 'string') {
    rt.spend(1 + (value.length >> 2))
    holdText(rt, value)
    return textKey(value)
  }
  if (value === null) return value
  if (typeof value === 'number' || typeof value === 'bigint') return numberKey(rt, value)
  if (typeof value === 'boolean') return numberKey(rt, Number(value))
  if (depth > 100) fail('RecursionError', 'tuples are nested too deeply to be a key')
  switch (value.kind) {
    case 'markup':
      return keyOf(rt, value.text)
    case 'float':
      return Number.isNaN(value.value) ? value : numberKey(rt, value.value)
    case 'tuple':
      return tupleKey(rt, value, depth)
    case 'undefined':
      return `${MARK}u`
    case 'range':
      return `${MARK}r${value.length}:${value.length > 0 ? value.start : 0}:${value.length > 1 ? value.step : 0}`
    case 'list':
    case 'dict':
      return fail('TypeError', `unhashable type: '${typeName(value)}'`)
    case 'view':
      return value.of === 'values' ? value : fail('TypeError', `unhashable type: '${typeName(value)}'`)
    default:
      return value
  }
}

/** True if a key differs from its value, as for numbers and tuples. */
const isConverted = (key: Key, value: Value): boolean => key !== value

/** Creates a dict from pairs; for equal keys, the first key and the last value are kept. */
export function dictOf(rt: Runtime, pairs: Iterable<readonly [Value, Value]>): Dict {
  const map = new Map<Key, Value>()
  let originalKeys: Map<Key, Value> | undefined
  rt.spend(30)
  rt.hold(300)
  for (const [name, value] of pairs) {
    const key = keyOf(rt, name)
    if (!map.has(key)) {
      rt.spend(40)
      rt.hold(80)
      if (isConverted(key, name)) {
        rt.hold(160)
        ;(originalKeys ??= new Map()).set(key, name)
      }
    }
    map.set(key, value)
  }
  return { kind: 'dict', map, originalKeys }
}

/** Looks up the value of a key; undefined if the dict lacks it. */
export const lookUp = (rt: Runtime, dict: Dict, name: Value): Value | undefined => dict.map.get(keyOf(rt, name))

/** The original value of a key. */
export const nameOf = ({ originalKeys }: Dict, key: Key): Value => {
  const name = originalKeys?.get(key)
  return name === undefined ? (key as Value) : name
}

/** Keys of a dict, in order. */
export const namesOf = (dict: Dict): readonly Value[] =>
  dict.originalKeys === undefined
    ? ([...dict.map.keys()] as Value[])
    : [...dict.map.keys()].map((key) => nameOf(dict, key))

/** Pairs of a dict, in order. */
export const pairsOf = (dict: Dict): readonly (readonly [Value, Value])[] =>
  [...dict.map].map(([key, value]) => [nameOf(dict, key), value] as const)
