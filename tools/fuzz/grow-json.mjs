// @ts-check
/** Grows JSON values: long arrays of distinct or increasingly long items, many keys, long strings, large numbers, nesting. */
import { grownText, series } from './grow-text.mjs'
import { nested, parsedContainer, setKey, somewhere } from './mutate-json.mjs'
import { below, magnitude, pick } from './random.mjs'

/** @import { Random } from './random.mjs' */

/** Copies a value with texts and numbers that differ from those of other copies. @param {any} value @param {number} nth @param {string | undefined} filler lengthens texts instead of numbering them @returns {any} */
function distinct(value, nth, filler) {
  if (typeof value === 'string') return filler === undefined ? value + nth : value + filler.repeat(nth)
  if (typeof value === 'number') return value + nth
  if (Array.isArray(value)) return value.map((item) => distinct(item, nth, filler))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    // Types and modes are kept: otherwise all copies would be refused.
    Object.entries(value).map(([key, item]) => [
      key,
      /^(type|id_type|behavior)$/.test(key) ? item : distinct(item, nth, filler),
    ]),
  )
}

/** Adds copies of an entry to its array or object. @param {any} parent @param {string} key @param {number} room @param {Random} random */
function addSeries(parent, key, room, random) {
  const value = parent[key]
  const size = (JSON.stringify(value)?.length ?? 4) + key.length + 6
  const filler = random() < 0.4 ? pick(['a', ...(typeof value === 'string' ? value : '')], random) : undefined
  const count = magnitude(2, Math.max(2, Math.min(5000, room / size, filler ? Math.sqrt(2 * room) : Infinity)), random)
  const same = random() < 0.3
  for (let i = 1; i <= count; i++) {
    const copy = same ? value : distinct(value, i, filler)
    if (Array.isArray(parent)) parent.push(copy)
    else setKey(parent, filler === undefined ? `${key}${i}` : key + filler.repeat(i), copy)
  }
}

/** @param {number} value @param {Random} random */
const scaled = (value, random) => (value === 0 ? 1 : value) * pick([2, 10, 100, 1e3, 1e6, 1e9, -1, 0.1], random)

/** @param {any} parent @param {string} key @param {any} other @param {number} room @param {Random} random */
function growEntry(parent, key, other, room, random) {
  const value = parent[key]
  if (typeof value === 'string' && random() < 0.6)
    return void setKey(parent, key, grownText(value, pick([value, key, 'a'], random), value.length + room, random))
  if (typeof value === 'number' && random() < 0.5) return void setKey(parent, key, scaled(value, random))
  switch (below(6, random)) {
    case 0:
      return void setKey(
        parent,
        key,
        nested(value, magnitude(1, Math.max(1, Math.min(2000, room / 6)), random), random() < 0.5),
      )
    case 1: {
      const source = somewhere(other, random)
      const keys = Object.keys(source)
      return void setKey(parent, key, keys.length === 0 ? source : source[pick(keys, random)])
    }
    case 2:
      return void (Array.isArray(parent) ? parent.splice(Number(key), 1) : Reflect.deleteProperty(parent, key))
    default:
      return addSeries(parent, key, room, random)
  }
}

/** A longer or shorter copy of a JSON text. @param {string} text @param {string} other source of parts @param {number} most approximate maximum number of characters @param {Random} random @returns {string} */
export function grownJson(text, other, most, random) {
  const root = parsedContainer(text)
  if (root === undefined) return grownText(text, other, most, random)
  const parent = somewhere(root, random)
  const keys = Object.keys(parent)
  if (keys.length === 0) return text.length + 8 < most ? series(text, 2, random) : text
  try {
    growEntry(parent, pick(keys, random), parsedContainer(other) ?? root, Math.max(0, most - text.length), random)
    return JSON.stringify(root)
  } catch {
    return text // nested too deeply for recursion
  }
}
