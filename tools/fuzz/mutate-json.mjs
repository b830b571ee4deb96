// @ts-check
/** Changes JSON, as a value and as a text, in the ways in which a hostile or broken file differs from a sound one. */

/** @typedef {() => number} Random uniform in [0, 1) */

/** @template T @param {readonly T[]} items @param {Random} random */
export const pick = (items, random) => items[Math.floor(random() * items.length)]
/** A whole number in [0, limit). @param {number} limit @param {Random} random */
export const below = (limit, random) => Math.floor(random() * limit)

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  0.5,
  255,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  1e21,
  1e308,
  -1e308,
]
const TEXTS = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\udc00x',
  '🙂',
  '__proto__',
  'constructor',
  'toString',
  '[UNK]',
  '▁',
  'Ġ',
  '../x',
  '(a+)+$',
]
const KEYS = ['__proto__', 'constructor', 'toString', 'length', 'type', '', 'then', 'hasOwnProperty']

/** Arrays or objects within each other, so many deep. @param {number} depth @param {boolean} objects */
function nested(depth, objects) {
  /** @type {unknown} */
  let value = 1
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
      return pick(TEXTS, random)
    case 5:
      return pick(TEXTS, random).repeat(1 + below(random() < 0.1 ? 20_000 : 100, random))
    case 6:
      return random() < 0.5 ? [] : {}
    case 7:
      return nested(pick([3, 30, 100, random() < 0.05 ? 20_000 : 10], random), random() < 0.5)
    default:
      return Array.from({ length: below(random() < 0.1 ? 5000 : 20, random) }, () => pick(NUMBERS, random))
  }
}

/** Sets a key as JSON.parse does, whatever it is called. @param {any} parent @param {string} key @param {unknown} value */
const set = (parent, key, value) =>
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true })

/** @param {any} value @param {Random} random */
function changedLeaf(value, random) {
  if (typeof value === 'number') return pick([-value, value * 2, value + 1, value - 1, value / 3, value * 1e6], random)
  if (typeof value === 'boolean') return !value
  if (typeof value !== 'string') return anything(random)
  const at = below(value.length + 1, random)
  return value.slice(0, at) + pick([...TEXTS, value], random) + value.slice(at + below(3, random))
}

/** Walks down to some object or array that has entries. @param {any} root @param {Random} random @returns {any} */
function somewhere(root, random) {
  let node = root
  for (;;) {
    const inner = Object.values(node).filter(
      (value) => value !== null && typeof value === 'object' && Object.keys(value).length > 0,
    )
    if (inner.length === 0 || random() < 0.3) return node
    node = pick(inner, random)
  }
}

/** Changes one thing. @param {any} root @param {Random} random */
function changeOnce(root, random) {
  const parent = somewhere(root, random)
  const keys = Object.keys(parent)
  if (keys.length === 0) return
  const [key, other] = [pick(keys, random), pick(keys, random)]
  const value = parent[key]
  switch (below(8, random)) {
    case 0:
      return set(parent, key, anything(random))
    case 1:
    case 2:
      return set(parent, key, typeof value === 'object' ? anything(random) : changedLeaf(value, random))
    case 3:
      return Array.isArray(parent) ? parent.splice(Number(key), 1) : Reflect.deleteProperty(parent, key)
    case 4:
      return set(parent, key, parent[other])
    case 5:
      return Array.isArray(parent) ? parent.push(value, value) : set(parent, pick([...KEYS, `${key}x`], random), value)
    case 6:
      set(parent, key, parent[other])
      return set(parent, other, value)
    default:
      return set(parent, key, random() < 0.5 ? [value] : { [key]: value })
  }
}

/** A changed copy. @param {string} text of a JSON object @param {Random} random */
export function changedJson(text, random) {
  const root = JSON.parse(text)
  for (let n = 1 + below(4, random); n > 0; n--) changeOnce(root, random)
  return root
}

/** A changed copy as the text of sound JSON. @param {string} text @param {Random} random */
export function changedJsonText(text, random) {
  const changed = changedJson(text, random)
  try {
    return JSON.stringify(changed)
  } catch {
    // JavaScript reads what is nested deeper than it can write.
    return `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)},${text.slice(1)}`
  }
}

/** A changed copy as text, which may be no JSON any more. @param {string} text @param {Random} random */
export function changedText(text, random) {
  const at = below(text.length, random)
  const end = Math.min(text.length, at + below(200, random))
  switch (below(7, random)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + text.slice(end)
    case 2:
      return text.slice(0, end) + text.slice(at)
    case 3:
      return text.slice(0, at) + String.fromCharCode(below(256, random)) + text.slice(at + 1)
    case 4: {
      // The first key once more, with another value.
      const [, key = '"a"'] = /("[^"]*")\s*:/.exec(text.slice(at)) ?? []
      return text.replace('{', `{${key}: ${JSON.stringify(pick(NUMBERS, random))}, `)
    }
    case 5:
      return text.replace(/-?\d+(\.\d+)?/g, (number) =>
        random() < 0.05 ? pick(['1e999', '-0', '9'.repeat(400), '1.'], random) : number,
      )
    default:
      return (
        text.slice(0, at) +
        pick(['[', '{"a":'], random).repeat(below(random() < 0.05 ? 50_000 : 500, random)) +
        text.slice(at)
      )
  }
}
