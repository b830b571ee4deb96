// @ts-check
/** Findings, one per category, and the most costly inputs, saved so that they can be read again. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kindOfError, shortly } from './errors.mjs'
import { toJson } from './input.mjs'
import { isLarge, isSlow, secondsAllowed } from './measure.mjs'
import { slug } from './slug.mjs'

/** @import { Attempt } from './attempt.mjs' */
/** @import { Input } from './input.mjs' */
/** @import { Cost } from './measure.mjs' */

/**
 * @typedef {object} Finding
 * @property {string} id unique per category of a target; a later finding replaces an earlier one
 * @property {'crashed' | 'strayed' | 'slow' | 'large' | 'died'} kind
 * @property {string} what
 * @property {number | undefined} number number of the input, if it was generated from the seed
 * @property {string | undefined} file file of the saved input
 */

/** Maximum number of categories of crashes, strays and slow inputs per target. */
const MOST_KINDS = 20
/** Costs above which the most costly input is saved at once, since the process may die. */
const [NOTABLE_SECONDS, NOTABLE_MEMORY] = [0.1, 50e6]

/** @param {Cost} cost */
const inWords = ({ seconds, bytes, memory }) =>
  `${seconds.toFixed(2)} s, ${Math.round(memory / 1e6)} MB, ${bytes.toLocaleString('en-US')} bytes`

/** @param {Attempt} attempt */
function faultOf({ fate, error, strays }) {
  if (fate === 'crashed') return { kind: fate, key: kindOfError(error), what: shortly(error) }
  if (fate !== 'strayed') return undefined
  const [first] = strays
  const what = strays.map(({ kind, what: did }) => `${kind}: ${did}`).join('; ')
  return { kind: fate, key: `${first?.kind} ${first?.what.split(/[ /]/)[0]}`, what }
}

/**
 * @param {string} target @param {number} seed @param {string} keep folder of saved inputs
 * @param {(finding: Finding) => void} report called for the first finding of a category, and for a slow or large input that is worse than the
 *   others of its category
 */
export function findings(target, seed, keep, report) {
  /** Worst measure by category. @type {Map<string, { id: string, worst: number }>} */
  const kinds = new Map()
  const most = { ratio: -1, memory: -1, save: { slowest: () => {}, largest: () => {} } }
  /** @param {string} name @param {Input} input @param {number | undefined} number @param {Cost} cost @param {string} [what] */
  const save = (name, input, number, cost, what) => {
    const folder = join(keep, slug(target))
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ target, seed, number, cost, what, input: toJson(input) }))
    return file
  }
  /** @param {Finding['kind']} kind @param {string} key @param {number} measure @param {Input} input @param {number | undefined} number @param {Cost} cost @param {string} what */
  const note = (kind, key, measure, input, number, cost, what) => {
    const known = kinds.get(`${kind} ${key}`)
    if (known !== undefined ? known.worst >= measure : kinds.size >= MOST_KINDS) return
    const id = known?.id ?? `${kind}-${kinds.size + 1}`
    kinds.set(`${kind} ${key}`, { id, worst: measure })
    report({ id, kind, what, number, file: save(id, input, number, cost, what) })
  }
  return {
    /** Records the fate of an input. Returns true for a new category. @param {Input} input @param {number | undefined} number @param {Attempt} attempt @param {string | undefined} hot function with the most time of a slow input, if it was profiled */
    note(input, number, attempt, hot) {
      const { cost } = attempt
      const known = kinds.size
      const fault = faultOf(attempt)
      if (fault !== undefined) note(fault.kind, fault.key, 0, input, number, cost, fault.what)
      const ratio = cost.seconds / secondsAllowed(cost.bytes)
      if (isSlow(cost) && hot !== undefined)
        note('slow', hot, ratio, input, number, cost, `${inWords(cost)}, in ${hot}`)
      if (isLarge(cost)) note('large', '', cost.memory, input, number, cost, inWords(cost))
      if (ratio > most.ratio) {
        most.ratio = ratio
        most.save.slowest = () => void save('slowest', input, number, cost)
        if (cost.seconds > NOTABLE_SECONDS) most.save.slowest()
      }
      if (cost.memory > most.memory) {
        most.memory = cost.memory
        most.save.largest = () => void save('largest', input, number, cost)
        if (cost.memory > NOTABLE_MEMORY) most.save.largest()
      }
      return kinds.size > known
    },
    /** Saves the most costly inputs. */
    close() {
      most.save.slowest()
      most.save.largest()
    },
  }
}
