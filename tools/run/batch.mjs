// @ts-check
/**
 * Batch executors: Nx passes many tasks at once, each for one package, and one process runs them all. Starting a process per task would
 * take longer than the work. Nx still caches the result of each task.
 */
import { join } from 'node:path'
import { runEslint } from './eslint.mjs'
import { runJest } from './jest.mjs'
import { runTsc } from './tsc.mjs'

/** @typedef {import('@nx/devkit').TaskGraph} TaskGraph */
/** @typedef {import('@nx/devkit').ExecutorContext} Context */
/** @typedef {{ files?: string[] }} Options */
/** @typedef {{ success: boolean, text: string, status?: 'skipped' }} Outcome */
/** @typedef {{ folder: string, files: string[], needs: number[] }} Work `needs`: indices of the works it depends on */

/** Number of packages tested by one Jest run. Results are cached after each group, so an interrupted run continues from there. */
const PACKAGES_PER_JEST = 40

/** @param {Context} context @param {string} project @param {Options} [options] @param {number[]} [needs] @returns {Work} */
const workOf = ({ root, projectsConfigurations }, project, { files = ['.'] } = {}, needs = []) => ({
  folder: join(root, projectsConfigurations.projects[project]?.root ?? '.'),
  files,
  needs,
})

/** @param {(works: Work[]) => Outcome[] | Promise<Outcome[]>} run @param {number} maximum */
const batch = (run, maximum) =>
  /** Nx calls it again for tasks without a result. @param {TaskGraph} graph @param {Record<string, Options>} inputs @param {unknown} _overrides @param {Context} context */
  async function* ({ tasks, dependencies }, inputs, _overrides, context) {
    const chosen = Object.values(tasks).slice(0, maximum)
    const ids = chosen.map(({ id }) => id)
    const needsOf = (/** @type {string} */ id) =>
      (dependencies[id] ?? []).map((need) => ids.indexOf(need)).filter((index) => index >= 0)
    const startTime = Date.now()
    const outcomes = await run(chosen.map(({ id, target }) => workOf(context, target.project, inputs[id], needsOf(id))))
    const endTime = Date.now()
    for (const [index, { text, ...outcome }] of outcomes.entries())
      yield { task: ids[index], result: { ...outcome, terminalOutput: `${text}\n`, startTime, endTime } }
  }

/** @param {(works: Work[]) => Outcome[] | Promise<Outcome[]>} run */
const one =
  (run) =>
  /** @param {Options} options @param {Context} context */
  async (options, context) => {
    const [outcome] = await run([workOf(context, context.projectName ?? '', options)])
    console.log(outcome?.text)
    return { success: outcome?.success ?? false }
  }

const test = (/** @type {Work[]} */ works) => runJest(works.map(({ folder }) => folder))

export const jest = batch(test, PACKAGES_PER_JEST)
export const jestOne = one(test)
export const eslint = batch(runEslint, Infinity)
export const eslintOne = one(runEslint)
export const tsc = batch(runTsc, Infinity)
export const tscOne = one(runTsc)
