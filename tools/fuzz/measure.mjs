// @ts-check
/** What reading one input costs: processor time, memory, and steps of budgets. */
import { subscribe } from 'node:diagnostics_channel'
import { existsSync, openSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { BUDGETS } from './counted-budget.mjs'

/**
 * @typedef {object} Cost
 * @property {number} bytes size of the input
 * @property {number} seconds processor time, of all threads
 * @property {number} memory growth of the resident set to its highest point meanwhile, in bytes
 * @property {number} steps counted by the reader's budgets; 0 for readers without one
 */

/** Seconds of processor time that an input may take, and that each megabyte adds. */
const [SECONDS, SECONDS_PER_MEGABYTE] = [0.5, 2]
/** Bytes by which the process may grow for an input of up to a megabyte; a larger one may take more in proportion. */
const MEMORY = 512e6
/** Garbage is collected first when more than this is in use, so that it does not hide what an input needs. */
const CROWDED = 400e6

/** Seconds of processor time that an input of a size may take. @param {number} bytes */
export const secondsAllowed = (bytes) => SECONDS + (SECONDS_PER_MEGABYTE * bytes) / 1e6
/** True if an input took longer than its size allows. @param {Cost} cost */
export const isSlow = ({ seconds, bytes }) => seconds > secondsAllowed(bytes)
/** True if an input took more memory than its size allows. @param {Cost} cost */
export const isLarge = ({ memory, bytes }) => memory > MEMORY * Math.max(1, bytes / 1e6)

/** Resets the highest point of the resident set to the present one, where the system can. */
function peakReset() {
  const file = '/proc/self/clear_refs'
  if (!existsSync(file)) return () => undefined
  const open = openSync(file, 'w')
  return () => void writeSync(open, '5')
}

/** Seconds of processor time that this process has used. */
export function processorSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Lets buffers of files go, which takes several turns. */
export async function collectGarbage() {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.()
    await setTimeout(1)
  }
}

/** A measure of this process, which must read one input at a time. */
export function meter() {
  const reset = peakReset()
  /** @type {{ steps(): number }[]} */
  let budgets = []
  subscribe(BUDGETS, (budget) => void budgets.push(/** @type {{ steps(): number }} */ (budget)))
  /**
   * Runs a reading and returns what it cost and, if it failed, how.
   * @param {() => unknown} read
   * @returns {Promise<Omit<Cost, 'bytes'> & { failure: { error: unknown } | undefined }>}
   */
  return async (read) => {
    if (process.memoryUsage.rss() > CROWDED) await collectGarbage()
    budgets = []
    reset()
    const held = process.memoryUsage.rss()
    const start = processorSeconds()
    let failure
    try {
      await read()
    } catch (error) {
      failure = { error }
    }
    const seconds = processorSeconds() - start
    const memory = Math.max(0, process.resourceUsage().maxRSS * 1024 - held)
    const steps = budgets.reduce((sum, budget) => sum + budget.steps(), 0)
    return { seconds, memory, steps, failure }
  }
}
