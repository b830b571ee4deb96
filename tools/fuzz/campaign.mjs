// @ts-check
/** Runs many readers on inputs, in child processes that may die, and collects the outcomes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, runChild } from './children.mjs'
import { countsIn, isOpen, noteDeath, receiver, startCourse } from './course.mjs'
import { addedCounts } from './state-file.mjs'

/** @import { Named } from './child.mjs' */
/** @import { Course, Progress } from './course.mjs' */
/** @import { Finding } from './findings.mjs' */
/** @import { Counts } from './state-file.mjs' */

/** Outcome of one target. @typedef {{ name: string, counts: Counts, findings: readonly Finding[] }} Outcome */

/**
 * @typedef {object} Options
 * @property {number} seed
 * @property {number} inputs per target
 * @property {number} growth seconds of CPU time for grown inputs, per input
 * @property {string} keep folder of saved inputs
 * @property {number} jobs parallel processes
 * @property {number} perChild targets that a process runs one after another
 * @property {number} limitSeconds CPU time after which an input is aborted
 * @property {AbortSignal} [stop] ends all processes; the counts so far are returned
 * @property {(progress: Progress) => void} [onProgress] called when a target starts or ends
 */

/** Lists the targets of modules. @param {readonly string[]} modules URLs @returns {Promise<Named[]>} */
export async function listTargets(modules) {
  /** @type {Named[]} */
  const found = []
  const end = await runChild({ do: 'list', modules }, tmpdir(), ({ module, name }) => void found.push({ module, name }))
  if (end.code !== 0) throw new Error(`cannot open the targets: ${end.said}`)
  return found
}

/**
 * Reads one input, by number or from a file, in a child process.
 * @param {Named} target @param {{ seed: number, number?: number | undefined, file?: string | undefined, profile?: boolean }} input
 * @param {string} work @param {number} limitSeconds
 * @returns {Promise<any>} last message of the process, or why it ended without one
 */
export async function readInput(target, input, work, limitSeconds) {
  let result
  const task = /** @type {const} */ ({ do: 'read', target, ...input, work, limitSeconds })
  const end = await runChild(task, work, (message) => void (result = message))
  return result ?? { type: 'ended', why: reasonOf(end) }
}

/** Reads inputs of some targets until all are read or the process dies. @param {readonly Course[]} courses @param {string} work @param {Options} options */
async function runOnce(courses, work, { seed, growth, keep, limitSeconds, stop, onProgress = () => undefined }) {
  const targets = courses.map(({ named, left, counts }) => ({ ...named, inputs: left, first: counts.next }))
  const { receive, progress, last } = receiver(courses, work, onProgress)
  rmSync(join(work, 'state'), { force: true })
  const task = /** @type {const} */ ({ do: 'fuzz', targets, seed, growth, keep, work, limitSeconds })
  const end = await runChild(task, work, receive, stop)
  const { course, why } = last
  if (course === undefined && end.code !== 0 && stop?.aborted !== true)
    throw new Error(`no target started: ${end.said}`)
  if (course === undefined) return
  if (stop?.aborted === true) course.counts = addedCounts(course.counts, countsIn(work))
  else {
    const died = noteDeath(course, why ?? reasonOf(end), work, keep)
    const { number, file } = died
    const { hot } = await readInput(course.named, { seed, number, file, profile: true }, work, limitSeconds)
    if (why !== undefined && hot !== undefined) died.what += `, in ${hot}`
  }
  if (!isOpen(course)) progress('ended', course)
}

/** Reads the inputs of some targets, with as many processes as needed. @param {readonly Course[]} courses @param {Options} options */
async function runAll(courses, options) {
  const work = mkdtempSync(join(tmpdir(), 'attune-fuzz-'))
  const isStopped = () => options.stop?.aborted === true
  try {
    for (let open = courses.filter(isOpen); open.length > 0 && !isStopped(); open = open.filter(isOpen))
      await runOnce(open, work, options)
  } finally {
    rmSync(work, { recursive: true, force: true, maxRetries: 5 })
  }
}

/**
 * Runs targets on inputs and returns the outcomes, in the order of the targets. A target whose inputs end three processes is aborted.
 * @param {readonly Named[]} targets @param {Options} options @returns {Promise<Outcome[]>}
 */
export async function campaign(targets, options) {
  const { inputs, perChild, jobs } = options
  const courses = targets.map((named) => startCourse(named, inputs))
  const groups = Array.from({ length: Math.ceil(courses.length / perChild) }, (_, i) =>
    courses.slice(i * perChild, (i + 1) * perChild),
  )
  const worker = async () => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) await runAll(group, options)
  }
  await Promise.all(Array.from({ length: Math.min(jobs, groups.length) }, worker))
  return courses.map(({ named, counts, findings }) => ({ name: named.name, counts, findings }))
}
