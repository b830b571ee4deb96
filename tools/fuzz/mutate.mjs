// @ts-check
/** Mutates a valid input. */
import { changedBytes } from './mutate-bytes.mjs'
import { changedJson, parsedContainer } from './mutate-json.mjs'
import { changedText } from './mutate-text.mjs'
import { pick } from './random.mjs'

/** @import { Input } from './input.mjs' */
/** @import { Random } from './random.mjs' */

/** A mutated copy of one part; JSON mostly stays valid JSON, so that the checks of its values are reached. @template {string | Buffer} P @param {P} part @param {Random} random @returns {P} */
export function changedPart(part, random) {
  if (typeof part !== 'string') return /** @type {P} */ (changedBytes(part, random))
  const json = random() < 0.7 && parsedContainer(part) !== undefined
  return /** @type {P} */ (json ? changedJson(part, random) : changedText(part, random))
}

/** A copy of an input with one or several parts mutated. @param {Input} input @param {Random} random @returns {Input} */
export function changedInput(input, random) {
  const names = Object.keys(input)
  const changed = { ...input }
  do {
    const name = pick(names, random)
    changed[name] = changedPart(changed[name], random)
  } while (random() < 0.2)
  return changed
}
