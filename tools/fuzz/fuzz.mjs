// @ts-check
/** Runs a reader on inputs that are generated from the seed or grown from the most costly ones. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deriveKey, key, stream } from '@attune/core'
import { shortly } from './errors.mjs'
import { findings } from './findings.mjs'
import { grownInput } from './grow.mjs'
import { toJson } from './input.mjs'
import { isLarge, isSlow, processorSeconds, secondsAllowed } from './measure.mjs'
import { population } from './population.mjs'
import { noCounts } from './state-file.mjs'
import { MOST_BYTES, freshInput } from './target.mjs'

/** @import { Attempt, Reader } from './attempt.mjs' */
/** @import { Confinement } from './confine.mjs' */
/** @import { Finding } from './findings.mjs' */
/** @import { Input } from './input.mjs' */
/** @import { Random } from './random.mjs' */
/** @import { Counts } from './state-file.mjs' */
/** @import { Target } from './target.mjs' */

/**
 * @typedef {object} Plan
 * @property {number} seed
 * @property {number} inputs number of inputs to read, including grown ones
 * @property {number} first number of the first input generated from the seed
 * @property {number} growth seconds of CPU time for grown inputs, per input
 * @property {string} keep folder of saved inputs
 * @property {string} work folder in which a grown input is stored while it is read
 */

/**
 * @typedef {object} Surroundings
 * @property {Reader} reader
 * @property {Confinement} confinement
 * @property {(counts: Counts) => void} began called before each input
 * @property {(finding: Finding) => void} report
 * @property {() => void} rested called when an input is read more than once, to restart its timer
 */

/** File name of the current grown input. */
export const GROWN_FILE = 'grown.json'

/** Number of consecutive profiles without a new result after which profiling stops. */
const DULL_PROFILES = 4

/** @param {Counts} counts @param {Attempt} attempt */
function count(counts, { fate, cost }) {
  counts.inputs++
  counts[fate]++
  if (isSlow(cost)) counts.slow++
  if (isLarge(cost)) counts.large++
  const { seconds, bytes, memory } = cost
  if (seconds / secondsAllowed(bytes) > counts.slowestSeconds / secondsAllowed(counts.slowestBytes))
    [counts.slowestSeconds, counts.slowestBytes] = [seconds, bytes]
  if (memory > counts.largestMemory) [counts.largestMemory, counts.largestBytes] = [memory, bytes]
}

/** Size limit of a grown input; large limits are rarer, because large inputs take most of the time. @param {Random} random */
const someSize = (random) => Math.min(MOST_BYTES, 1000 / (1 - random()) ** 2)

/** Reads the valid inputs without monitoring, so that lazy loading and compilation happen first. @param {Target} target @param {Reader} reader */
async function warmUp(target, reader) {
  for (const [i, input] of target.valid.entries()) {
    const { fate, error } = await reader.once(target, input, false)
    if (fate !== 'accepted') throw new Error(`valid input ${i} of ${target.name} was ${fate}: ${shortly(error)}`)
  }
}

/** Reads inputs and records their fates. @param {Target} target @param {Plan} plan @param {Surroundings} surroundings */
function record(target, { seed, first, growth, keep }, { reader, began, rested, report }) {
  const counts = { ...noCounts(), next: first }
  const costly = population()
  const found = findings(target.name, seed, keep, report)
  let dull = 0
  return {
    counts,
    costly,
    close: found.close,
    /** @param {Input} input @param {number | undefined} number undefined for a grown input */
    async read(input, number) {
      counts.grown = number === undefined ? 1 : 0
      began(counts)
      let attempt = await reader.attempt(target, input)
      if (growth > 0 && costly.wants(input, attempt.cost)) {
        if (!isSlow(attempt.cost) && !isLarge(attempt.cost)) attempt = await reader.repeat(target, input, attempt)
        costly.offer(input, attempt.cost)
      }
      count(counts, attempt)
      rested()
      const isProfiled = isSlow(attempt.cost) && dull < DULL_PROFILES
      const hot = isProfiled ? ((await reader.hot(target, input)) ?? 'no single function') : undefined
      const isNew = found.note(input, number, attempt, hot)
      if (isProfiled) dull = isNew ? 0 : dull + 1
    },
  }
}

/** Grows an input from costly ones and saves it; undefined if there are none. @param {Target} target @param {Plan} plan @param {ReturnType<typeof population>} costly @param {number} nth */
function grow({ name }, { seed, work }, costly, nth) {
  const random = stream(deriveKey(key(seed), name, 'grown', nth))
  const most = someSize(random)
  const parent = costly.sample(most, random)
  const grown = parent && grownInput(parent, costly.sample(most, random) ?? parent, most, random)
  if (grown === undefined || grown === parent) return undefined
  writeFileSync(join(work, GROWN_FILE), JSON.stringify({ target: name, seed, input: toJson(grown) }))
  return grown
}

/**
 * Runs a reader on the given number of inputs. Every second one is grown from costly ones, while there is time for growth.
 * @param {Target} target @param {Plan} plan @param {Surroundings} surroundings
 * @returns {Promise<Counts>}
 */
export async function fuzz(target, plan, surroundings) {
  const { reader, confinement, began, report } = surroundings
  await warmUp(target, reader)
  const { counts, costly, read, close } = record(target, plan, surroundings)
  let grownSeconds = 0
  for (let i = 0; i < plan.inputs; i++) {
    const begun = processorSeconds()
    const mayGrow = i % 2 === 1 && grownSeconds < plan.growth * i
    const grown = mayGrow ? grow(target, plan, costly, plan.first + i) : undefined
    await read(grown ?? freshInput(target, plan.seed, counts.next), grown === undefined ? counts.next : undefined)
    if (grown === undefined) counts.next++
    else grownSeconds += processorSeconds() - begun
  }
  close()
  await confinement.settle()
  const late = confinement.end().map(({ kind, what }) => `${kind}: ${what}`)
  if (late.length > 0) {
    counts.strayed++
    const what = `after the last input: ${late.join('; ')}`
    report({ id: 'late', kind: 'strayed', what, number: undefined, file: undefined })
  }
  began(counts)
  return counts
}
