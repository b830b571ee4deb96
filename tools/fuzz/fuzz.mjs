// @ts-check
/** Feeds a reader inputs: made from the seed, and grown of those that cost the most. */
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
 * @property {number} inputs inputs to read, grown ones included
 * @property {number} first number of the first input that is made from the seed
 * @property {number} growth seconds of processor time for grown inputs, for each input
 * @property {string} keep folder of saved inputs
 * @property {string} work folder in which the input that is read now is kept, if it was grown
 */

/**
 * @typedef {object} Surroundings
 * @property {Reader} reader
 * @property {Confinement} confinement
 * @property {(counts: Counts) => void} began called before each input
 * @property {(finding: Finding) => void} report
 * @property {() => void} rested called when an input has been read more than once, so that its time is measured anew
 */

/** Name of the file with the grown input that is read now. */
export const GROWN_FILE = 'grown.json'

/** Profiles of slow inputs in a row that show nothing new, after which no more are made. */
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

/** A limit to the size of a grown input: the larger, the rarer, for large inputs take most of the time. @param {Random} random */
const someSize = (random) => Math.min(MOST_BYTES, 1000 / (1 - random()) ** 2)

/** Reads the valid inputs, unwatched: what is loaded or compiled once is there afterwards. @param {Target} target @param {Reader} reader */
async function warmUp(target, reader) {
  for (const [i, input] of target.valid.entries()) {
    const { fate, error } = await reader.once(target, input, false)
    if (fate !== 'accepted') throw new Error(`valid input ${i} of ${target.name} was ${fate}: ${shortly(error)}`)
  }
}

/** Reads inputs and keeps what became of them. @param {Target} target @param {Plan} plan @param {Surroundings} surroundings */
function record(target, { seed, first, growth, keep }, { reader, began, rested, report }) {
  const counts = { ...noCounts(), next: first }
  const costly = population()
  const found = findings(target.name, seed, keep, report)
  let dull = 0
  return {
    counts,
    costly,
    close: found.close,
    /** @param {Input} input @param {number | undefined} number nothing for a grown input */
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
      const hot = isProfiled ? ((await reader.hot(target, input)) ?? 'no function alone') : undefined
      const isNew = found.note(input, number, attempt, hot)
      if (isProfiled) dull = isNew ? 0 : dull + 1
    },
  }
}

/** Grows an input of costly ones and saves it; nothing if there are none. @param {Target} target @param {Plan} plan @param {ReturnType<typeof population>} costly @param {number} nth */
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
 * Feeds a reader so many inputs. Every second one is grown of costly ones, as long as there is time for growth.
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
