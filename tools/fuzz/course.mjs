// @ts-check
/** Progress of a target over all processes that read its inputs. */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { slug } from './slug.mjs'
import { addedCounts, noCounts, readState } from './state-file.mjs'

/** @import { Named } from './child.mjs' */
/** @import { Finding } from './findings.mjs' */
/** @import { Counts } from './state-file.mjs' */

/** @typedef {{ named: Named, left: number, counts: Counts, findings: Finding[], deaths: number }} Course */

/** A target started or ended. @typedef {{ type: 'began' | 'ended', name: string, work: string, counts: Counts, findings: readonly Finding[] }} Progress */

/** Number of dead processes after which a target is aborted. */
const MAXIMUM_DEATHS = 3

/** @param {Named} named @param {number} inputs @returns {Course} */
export const startCourse = (named, inputs) => ({ named, left: inputs, counts: noCounts(), findings: [], deaths: 0 })

/** True if there are more inputs to read. @param {Course} course */
export const isOpen = ({ left, deaths }) => left > 0 && deaths < MAXIMUM_DEATHS

/** Counts of a process, from its folder. @param {string} work */
export const countsIn = (work) => readState(join(work, 'state'))

/** Records that a process died at the input in its folder, and returns the finding. @param {Course} course @param {string} why @param {string} work its folder @param {string} keep folder of saved inputs */
export function noteDeath(course, why, work, keep) {
  const at = countsIn(work)
  const { name } = course.named
  const [isGrown, isSlow] = [at.grown === 1, /CPU time/.test(why)]
  const [crashed, slow] = isSlow ? [0, 1] : [1, 0]
  course.counts = addedCounts(course.counts, {
    ...at,
    inputs: at.inputs + 1,
    crashed: at.crashed + crashed,
    slow: at.slow + slow,
    next: isGrown ? at.next : at.next + 1,
  })
  course.left -= at.inputs + 1
  course.deaths++
  const file = join(keep, slug(name), `died-${course.deaths}.json`)
  const saved = isGrown && existsSync(join(work, 'grown.json'))
  if (saved) {
    mkdirSync(dirname(file), { recursive: true })
    copyFileSync(join(work, 'grown.json'), file)
  }
  const number = isGrown ? undefined : at.next
  const finding = {
    id: `died-${course.deaths}`,
    kind: /** @type {const} */ ('died'),
    what: why,
    number,
    file: saved ? file : undefined,
  }
  course.findings.push(finding)
  return finding
}

/**
 * Applies the messages of one process to its targets.
 * @param {readonly Course[]} courses @param {string} work folder of the process @param {(progress: Progress) => void} onProgress
 */
export function receiver(courses, work, onProgress) {
  /** @type {{ course: Course | undefined, why: string | undefined }} */
  const last = { course: undefined, why: undefined }
  const progress = (/** @type {Progress['type']} */ type, /** @type {Course} */ { named, counts, findings }) =>
    onProgress({ type, name: named.name, work, counts, findings })
  return {
    /** The target that has started but not ended, and the reason if the process ended itself. */
    last,
    progress,
    /** @param {any} message */
    receive(message) {
      if (message.type === 'stopped') last.why = message.why
      if (message.type === 'found' && last.course !== undefined)
        last.course.findings = [...last.course.findings.filter(({ id }) => id !== message.finding.id), message.finding]
      if (message.type === 'started') {
        last.course = courses.find(({ named }) => named.name === message.name)
        if (last.course !== undefined) progress('began', last.course)
      }
      if (message.type !== 'done' || last.course === undefined) return
      last.course.counts = addedCounts(last.course.counts, message.counts)
      last.course.left = 0
      progress('ended', last.course)
      last.course = undefined
    },
  }
}
