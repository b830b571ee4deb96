// @ts-check
/** A reader under test, and the generation of its inputs. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { deriveKey, key, stream } from '@attune/core'
import { grownInput } from './grow.mjs'
import { changedInput } from './mutate.mjs'
import { magnitude, pick } from './random.mjs'

/** @import { Input } from './input.mjs' */
/** @import { Random } from './random.mjs' */

/**
 * @typedef {object} Target
 * @property {string} name unique
 * @property {readonly Input[]} valid inputs that the reader accepts, from which all others are made; read first, without monitoring
 * @property {(input: Input, folder: string) => unknown} read reads an input completely
 * @property {(input: Input, folder: string) => void} [prepare] called before each read, neither monitored nor measured
 * @property {boolean} [files] true if the parts are written as files into `folder` before each read
 * @property {(random: Random) => Input} [make] generates an input; default: {@link changedInput} of a valid one
 * @property {() => number} [bytes] size of the last input; default: that of its encoded parts
 * @property {readonly RegExp[]} [mayRead] real paths outside the folder of the input that the reader may open
 * @property {boolean} [mayLookUp] true if inputs may name plugins, so that modules are resolved; none may be loaded
 * @property {readonly number[]} [ports] local ports that the reader may connect to
 * @property {() => unknown} [close] releases the resources of the target
 */

/** A module of targets. @typedef {{ targets: () => Target[] | Promise<Target[]> }} TargetModule */

/** Maximum size of an input before compression, in characters or bytes. */
export const MOST_BYTES = 2_000_000
/** Fraction of the inputs from the seed that are also lengthened. */
const LENGTHENED = 0.02

/** The input of a number; also depends on the seed and the target's name. @param {Target} target @param {number} seed @param {number} number @returns {Input} */
export function freshInput({ name, valid, make }, seed, number) {
  const random = stream(deriveKey(key(seed), name, number))
  const made = make?.(random) ?? changedInput(pick(valid, random), random)
  if (random() >= LENGTHENED) return made
  const most = magnitude(1000, MOST_BYTES, random)
  return grownInput(grownInput(made, pick(valid, random), most, random), made, most, random)
}

/** Writes the parts of an input as files into a folder and removes everything else. @param {string} folder @param {Map<string, Buffer>} parts */
export function layOut(folder, parts) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of parts) {
    const path = join(folder, name)
    if (name.includes('/')) mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
}
