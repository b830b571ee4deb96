// @ts-check
/** The independent validator of `schemas.mjs`, and random texts of a constraint. */
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../packages/generate/package.json', import.meta.url))
/** @type {any} */
const formats = require('ajv-formats')

/** Validator of a schema by ajv; undefined if ajv cannot compile it, as with keywords of draft 4. @param {any} schema */
export function validatorOf(schema) {
  const draft = String(schema?.$schema ?? '')
  const name = /2020/.test(draft) ? 'ajv/dist/2020.js' : /2019/.test(draft) ? 'ajv/dist/2019.js' : 'ajv'
  try {
    const ajv = new (require(name).default)({ strict: false, logger: false, validateSchema: false })
    formats.default(ajv)
    if (typeof schema !== 'object' || schema === null) return ajv.compile(schema)
    const { $schema: _, id: __, ...rest } = schema
    return /** @type {(value: unknown) => boolean} */ (ajv.compile(rest))
  } catch {
    return undefined
  }
}

/** True if a constraint allows a text, byte by byte. @param {any} constraint @param {string} text */
export function allows({ automaton }, text) {
  let state = 0
  for (const byte of new TextEncoder().encode(text)) {
    state = automaton.next(state, byte)
    if (state < 0) return false
  }
  return automaton.accepts(state)
}

/**
 * A random text that a constraint allows, byte by byte, or undefined if it does not end within the limit.
 * @param {any} constraint @param {() => number} random @param {number} limit
 */
export function randomText({ automaton }, random, limit) {
  const bytes = []
  for (let state = 0; bytes.length < limit;) {
    if (automaton.accepts(state) && random() < 0.3) return new TextDecoder().decode(Uint8Array.from(bytes))
    /** @type {[number, number][]} */
    const next = []
    for (let byte = 0; byte < 256; byte++) {
      const to = automaton.next(state, byte)
      if (to >= 0) next.push([byte, to])
    }
    if (next.length === 0) return new TextDecoder().decode(Uint8Array.from(bytes))
    // Prefer punctuation, which closes strings, arrays and objects.
    const short = next.filter(([byte]) => [0x22, 0x2c, 0x5d, 0x7d].includes(byte))
    const from = short.length > 0 && random() < 0.6 ? short : next
    const [byte, to] = /** @type {[number, number]} */ (from[Math.floor(random() * from.length)])
    bytes.push(byte)
    state = to
  }
  return undefined
}
