// @ts-check
/** Mutates JSON values: other values, keys and nesting, as in malformed or malicious files. */
import { NUMBERS, WORDS } from './atoms.mjs'
import { below, magnitude, pick } from './random.mjs'

/** @import { Random } from './random.mjs' */

const KEYS = ['__proto__', 'constructor', 'toString', 'length', 'type', '', 'then', 'hasOwnProperty']

/** Nested arrays or objects. @param {unknown} inner @param {number} depth @param {boolean} objects @returns {unknown} */
export function nested(inner, depth, objects) {
  let value = inner
  for (let i = 0; i < depth; i++) value = objects ? { a: value } : [value]
  return value
}

/** @param {Random} random @returns {unknown} */
function anything(random) {
  switch (below(9, random)) {
    case 0:
      return null
    case 1:
      return random() < 0.5
    case 2:
    case 3:
      return pick(NUMBERS, random)
    case 4:
      return pick(WORDS, random)
    case 5:
      return pick(WORDS, random).repeat(magnitude(1, random() < 0.1 ? 20_000 : 100, random))
    case 6:
      return random() < 0.5 ? [] : {}
    case 7:
      return nested(1, pick([3, 30, 100, random() < 0.05 ? 3000 : 10], random), random() < 0.5)
    default:
      return Array.from({ length: below(random() < 0.1 ? 5000 : 20, random) }, () => pick(NUMBERS, random))
  }
}

/** Sets a key like JSON.parse, including special names. @param {any} parent @param {string} key @param {unknown} value */
export const setKey = (parent, key, value) =>
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true })

/** @param {any} value @param {Random} random */
function changedLeaf(value, random) {
  if (typeof value === 'number') return pick([-value, value * 2, value + 1, value - 1, value / 3, value * 1e6], random)
  if (typeof value === 'boolean') return !value
  if (typeof value !== 'string') return anything(random)
  const at = below(value.length + 1, random)
  return value.slice(0, at) + pick([...WORDS, value], random) + value.slice(at + below(3, random))
}

/** A random object or array with entries, found by descending; upper levels are as probable as lower ones. @param {any} root @param {Random} random @returns {any} */
export function somewhere(root, random) {
  for (let node = root; ;) {
    const inner = Object.values(node).filter(
      (value) => value !== null && typeof value === 'object' && Object.keys(value).length > 0,
    )
    if (inner.length === 0 || random() < 0.3) return node
    node = pick(inner, random)
  }
}

/** Makes one change. @param {any} root @param {Random} random */
function changeOnce(root, random) {
  const parent = somewhere(root, random)
  const keys = Object.keys(parent)
  if (keys.length === 0) return
  const [key, other] = [pick(keys, random), pick(keys, random)]
  const value = parent[key]
  switch (below(8, random)) {
    case 0:
      return void setKey(parent, key, anything(random))
    case 1:
    case 2:
      return void setKey(parent, key, typeof value === 'object' ? anything(random) : changedLeaf(value, random))
    case 3:
      return void (Array.isArray(parent) ? parent.splice(Number(key), 1) : Reflect.deleteProperty(parent, key))
    case 4:
      return void setKey(parent, key, parent[other])
    case 5:
      return void (Array.isArray(parent)
        ? parent.push(value, value)
        : setKey(parent, pick([...KEYS, `${key}x`], random), value))
    case 6:
      setKey(parent, key, parent[other])
      return void setKey(parent, other, value)
    default:
      return void setKey(parent, key, random() < 0.5 ? [value] : { [key]: value })
  }
}

/** Value of a JSON text that is an object or an array; undefined for any other text. @param {string} text @returns {any} */
export function parsedContainer(text) {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A mutated copy, as valid JSON. @param {string} text JSON of an object or an array @param {Random} random */
export function changedJson(text, random) {
  const root = JSON.parse(text)
  for (let n = 1 + below(4, random); n > 0; n--) changeOnce(root, random)
  try {
    return JSON.stringify(root)
  } catch {
    // JSON.parse supports deeper nesting than JSON.stringify, and a value may contain itself by now.
    return text.replace(/[[{]/, (open) => (open === '{' ? '{"a":1,' : '[1,'))
  }
}
