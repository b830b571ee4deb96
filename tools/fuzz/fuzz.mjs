// @ts-check
/** Runs a reader on many inputs and counts what becomes of them. Each input depends on the seed, the reader and its number alone. */
import { setTimeout } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fold, isAttuneError, key, stream } from '@attune/core'

/** @import { Target } from './targets.mjs' */
/**
 * @typedef {object} Outcome
 * @property {string} name
 * @property {number} inputs
 * @property {number} accepted
 * @property {number} refused with an AttuneError
 * @property {number} crashed with anything else
 * @property {number} slow more than a second of processor time
 * @property {number} slowestSeconds
 * @property {number} grownMebibytes what stayed in memory after all inputs
 * @property {{ input: number, error: unknown }[]} crashes one of each kind
 */

const SLOW_SECONDS = 1
const MOST_KINDS = 20

setFlagsFromString('--expose-gc')
const collectGarbage = /** @type {() => void} */ (runInNewContext('gc'))

async function heldBytes() {
  // Buffers of files are let go of in a turn of their own.
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage()
    await setTimeout(20)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Where an error comes from: its type and the innermost line. @param {unknown} error */
const kindOf = (error) =>
  (error instanceof Error ? (error.stack ?? '').split('\n').find((line) => line.includes(' at ')) : '') ?? ''

/** What a reader makes of one input; nothing if it takes it. @param {Target} target @param {number} seed @param {number} input */
export async function attempt(target, seed, input) {
  try {
    await target.read(stream(fold(key(seed), target.name, input)))
    return undefined
  } catch (error) {
    return { error }
  }
}

/**
 * @param {Target} target @param {{ seed: number, inputs: number, started?: (input: number) => void }} how
 * @returns {Promise<Outcome>}
 */
export async function fuzz(target, { seed, inputs, started = () => undefined }) {
  const counts = { accepted: 0, refused: 0, crashed: 0, slow: 0 }
  /** @type {Map<string, { input: number, error: unknown }>} */
  const kinds = new Map()
  let [slowest, before] = [0, 0]
  for (let input = 0; input < inputs; input++) {
    // What is compiled and remembered once is there after a tenth.
    if (input === Math.floor(inputs / 10)) before = await heldBytes()
    started(input)
    const start = process.cpuUsage()
    const failure = await attempt(target, seed, input)
    const { user, system } = process.cpuUsage(start)
    const seconds = (user + system) / 1e6
    slowest = Math.max(slowest, seconds)
    if (seconds > SLOW_SECONDS) counts.slow++
    if (failure === undefined) counts.accepted++
    else if (isAttuneError(failure.error)) counts.refused++
    else {
      counts.crashed++
      const kind = kindOf(failure.error)
      if (!kinds.has(kind) && kinds.size < MOST_KINDS) kinds.set(kind, { input, error: failure.error })
    }
  }
  const grownMebibytes = ((await heldBytes()) - before) / 2 ** 20
  return { name: target.name, inputs, ...counts, slowestSeconds: slowest, grownMebibytes, crashes: [...kinds.values()] }
}
