// @ts-check
/** Mutates text: truncated, repeated, or with other characters, numbers or keys. */
import { ATOMS, NUMBERS } from './atoms.mjs'
import { below, magnitude, pick } from './random.mjs'

/** @import { Random } from './random.mjs' */

/** A copy with one change. @param {string} text @param {Random} random */
export function changedText(text, random) {
  const at = below(text.length + 1, random)
  const end = Math.min(text.length, at + below(200, random))
  switch (below(9, random)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + text.slice(end)
    case 2:
      return text.slice(0, end) + text.slice(at)
    case 3:
      return text.slice(0, at) + String.fromCharCode(below(256, random)) + text.slice(at + 1)
    case 4: {
      // Repeats the first key with another value.
      const [, key = '"a"'] = /("[^"]*")\s*:/.exec(text.slice(at)) ?? []
      return text.replace('{', () => `{${key}: ${JSON.stringify(pick(NUMBERS, random))}, `)
    }
    case 5:
      return text.replace(/-?\d+(\.\d+)?/g, (number) =>
        random() < 0.05 ? pick(['1e999', '-0', '9'.repeat(400), '1.', '1e9'], random) : number,
      )
    case 6:
      return text.slice(0, at) + pick(ATOMS, random).repeat(magnitude(1, 300, random)) + text.slice(at)
    case 7: {
      const from = below(text.length + 1, random)
      return text.slice(0, at) + text.slice(from, from + below(200, random)) + text.slice(at)
    }
    default: {
      const depth = magnitude(1, random() < 0.05 ? 50_000 : 500, random)
      return text.slice(0, at) + pick(['[', '{"a":', '(', '- '], random).repeat(depth) + text.slice(at)
    }
  }
}
