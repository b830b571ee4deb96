// @ts-check
/** Cost of reading one input: CPU time, memory, and steps of budgets. */
import { subscribe } from 'node:diagnostics_channel'
import { existsSync, openSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { BUDGETS } from './counted-budget.mjs'

/**
 * @typedef {object} Cost
 * @property {number} bytes size of the input
 * @property {number} seconds CPU time of all threads
 * @property {number} memory growth of the resident set to its peak during the read, in bytes
 * @property {number} steps counted by the reader's budgets; 0 for readers without one
 */

/** Limit of CPU seconds per input, and the addition per megabyte. */
const [SECONDS, SECONDS_PER_MEGABYTE] = [0.5, 2]
/** Limit of the growth in bytes for an input of up to a megabyte; proportional to the size above that. */
const MEMORY = 512e6
/** Bytes in use above which garbage is collected first, so that it does not hide the memory of an input. */
const CROWDED = 400e6

/** Limit of CPU seconds for an input of a size. @param {number} bytes */
export const secondsAllowed = (bytes) => SECONDS + (SECONDS_PER_MEGABYTE * bytes) / 1e6
/** True if an input took longer than its limit. @param {Cost} cost */
export const isSlow = ({ seconds, bytes }) => seconds > secondsAllowed(bytes)
/** True if an input took more memory than its limit. @param {Cost} cost */
export const isLarge = ({ memory, bytes }) => memory > MEMORY * Math.max(1, bytes / 1e6)

/** Resets the peak of the resident set to its current size, if the system supports it. */
function peakReset() {
  const file = '/proc/self/clear_refs'
  if (!existsSync(file)) return () => undefined
  const open = openSync(file, 'w')
  return () => void writeSync(open, '5')
}

/** CPU seconds used by this process. */
export function processorSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Releases file buffers, which takes several event-loop turns. */
export async function collectGarbage() {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.()
    await setTimeout(1)
  }
}

/** Measures this process, which must read one input at a time. */
export function meter() {
  const reset = peakReset()
  /** @type {{ steps(): number }[]} */
  let budgets = []
  subscribe(BUDGETS, (budget) => void budgets.push(/** @type {{ steps(): number }} */ (budget)))
  /**
   * Runs a read and returns its cost and its error, if any.
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
