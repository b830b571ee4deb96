import type { Budget } from '@attune/core'
import { fail } from '../failure.js'
import { textKey } from './dict.js'
import { normalize } from './integers.js'
import { type Dict, type Key, type Value, float, list } from './value.js'

const MAXIMUM_DEPTH = 200

/** Converts a JavaScript number: safe integers to an int, others to a float. */
const numberFrom = (value: number): Value => (Number.isSafeInteger(value) ? (value === 0 ? 0 : value) : float(value))

/** Converts plain values: null, booleans, numbers, bigints, strings, arrays, and objects of these. */
export interface PlainReader {
  /** @throws Error for functions, symbols, and values that are cyclic or nested too deeply */
  (value: unknown): Value
}

function readArray(budget: Budget, items: readonly unknown[], read: PlainReader): Value {
  budget.allow(2 + 2 * items.length)
  budget.spend(8 + 2 * items.length)
  budget.hold(100 + 8 * items.length)
  return list(Array.from(items, read))
}

function readObject(budget: Budget, value: object, read: PlainReader): Dict {
  const map = new Map<Key, Value>()
  const keys = Object.keys(value)
  budget.allow(2 + 6 * keys.length)
  budget.spend(20 + 8 * keys.length)
  budget.hold(250 + 60 * keys.length)
  let originalKeys: Map<Key, Value> | undefined
  for (const name of keys) {
    const field = (value as Readonly<Record<string, unknown>>)[name]
    if (field === undefined) continue
    const key = textKey(name)
    if (key !== name) (originalKeys ??= new Map()).set(key, name)
    map.set(key, read(field))
  }
  return { kind: 'dict', map, originalKeys }
}

/**
 * Creates a reader of plain values. Reads only own enumerable fields, and skips undefined ones. Shared values are converted
 * once.
 */
export function plainReader(budget: Budget): PlainReader {
  const known = new Map<object, Value>()
  const open = new Set<object>()
  const readParts = (value: object): Value => {
    if (open.has(value)) fail('ValueError', 'expected plain values, got one that contains itself')
    if (open.size >= MAXIMUM_DEPTH) fail('RecursionError', `values are nested more than ${MAXIMUM_DEPTH} levels deep`)
    open.add(value)
    const made = Array.isArray(value) ? readArray(budget, value, read) : readObject(budget, value, read)
    open.delete(value)
    known.set(value, made)
    return made
  }
  const read: PlainReader = (value) => {
    if (typeof value === 'string') budget.allow(value.length)
    if (typeof value === 'string' || typeof value === 'boolean') return value
    if (value === null || value === undefined) return null
    if (typeof value === 'number') return numberFrom(value)
    if (typeof value === 'bigint') return normalize(value)
    if (typeof value !== 'object') return fail('TypeError', `expected plain values, got a ${typeof value}`)
    return known.get(value) ?? readParts(value)
  }
  return read
}
