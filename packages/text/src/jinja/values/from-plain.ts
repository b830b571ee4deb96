import type { Budget } from '@attune/core'
import { fail } from '../failure.js'
import { textKey } from './dict.js'
import { normalize } from './integers.js'
import { type Dict, type Key, type Value, float, list } from './value.js'

const MAXIMUM_DEPTH = 200

/** A number from JavaScript: an int if it is a safe integer, else a float. */
const numberFrom = (value: number): Value => (Number.isSafeInteger(value) ? (value === 0 ? 0 : value) : float(value))

/** What converts plain values: null, booleans, numbers, bigints, strings, arrays, and objects of such. */
export interface PlainReader {
  /** @throws Error for functions, symbols, values that contain themselves or are nested too deeply */
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
  let odd: Map<Key, Value> | undefined
  for (const name of keys) {
    const field = (value as Readonly<Record<string, unknown>>)[name]
    if (field === undefined) continue
    const key = textKey(name)
    if (key !== name) (odd ??= new Map()).set(key, name)
    map.set(key, read(field))
  }
  return { kind: 'dict', map, odd }
}

/**
 * Makes a reader of plain values. Only own enumerable fields are read; fields that are undefined are left out. A value that
 * is met twice is converted once.
 */
export function plainReader(budget: Budget): PlainReader {
  const known = new Map<object, Value>()
  const open = new Set<object>()
  const readParts = (value: object): Value => {
    if (open.has(value)) fail('ValueError', 'expected plain values, got one that contains itself')
    if (open.size >= MAXIMUM_DEPTH) fail('RecursionError', `values are nested more than ${MAXIMUM_DEPTH} deep`)
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
