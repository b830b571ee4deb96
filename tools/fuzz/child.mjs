// @ts-check
/** Child process that reads inputs. Receives a task as a JSON argument and sends lines of JSON to its parent. */
import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { installConfinement } from './confine.mjs'

/** @import { Target, TargetModule } from './target.mjs' */
/** @import { Counts } from './state-file.mjs' */

/** A target by module and name. @typedef {{ module: string, name: string }} Named */

/**
 * A task: list the targets of modules, run several targets one after another, or read one input.
 * @typedef {{ do: 'list', modules: readonly string[] }
 *   | { do: 'fuzz', targets: readonly Fed[], seed: number, growth: number, keep: string, work: string, limitSeconds: number }
 *   | { do: 'read', target: Named, seed: number, number?: number, file?: string, profile?: boolean, work: string, limitSeconds: number }} Task
 */

/** A target with its remaining inputs. @typedef {Named & { inputs: number, first: number }} Fed */

/** File descriptor of the pipe to the parent. */
const CHANNEL = 3

const send = (/** @type {object} */ message) => void writeSync(CHANNEL, `${JSON.stringify(message)}\n`)

/** Starts the thread that ends this process at the limit. @param {number} limitSeconds @returns {() => void} to be called when an input starts */
function watchTime(limitSeconds) {
  const began = new Float64Array(new SharedArrayBuffer(16))
  const worker = new Worker(new URL('watch.mjs', import.meta.url), {
    workerData: { began, limitSeconds, channel: CHANNEL },
    execArgv: [],
  })
  worker.unref()
  return () => {
    const { user, system } = process.cpuUsage()
    began[0] = (user + system) / 1e6
    began[1] = Date.now() / 1000
  }
}

/** Opens targets by name; loads each module once. */
function targetOpener() {
  /** @type {Map<string, Target[]>} */
  const opened = new Map()
  /** @param {Named} named @returns {Promise<Target>} */
  return async ({ module, name }) => {
    const targets =
      opened.get(module) ?? (await (await /** @type {Promise<TargetModule>} */ (import(module))).targets())
    opened.set(module, targets)
    const found = targets.find((target) => target.name === name)
    if (found === undefined) throw new Error(`${module} has no target ${name}`)
    return found
  }
}

/** @param {Extract<Task, { do: 'list' }>} task */
async function list({ modules }) {
  for (const module of modules) {
    const { targets } = /** @type {TargetModule} */ (await import(module))
    for (const { name } of await targets()) send({ type: 'target', module, name })
  }
}

/** @param {Extract<Task, { do: 'fuzz' }>} task */
async function feed({ targets, seed, growth, keep, work, limitSeconds }) {
  const confinement = installConfinement()
  const started = watchTime(limitSeconds)
  const [{ fuzz }, { reader }, { noCounts, openState }] = await Promise.all([
    import('./fuzz.mjs'),
    import('./attempt.mjs'),
    import('./state-file.mjs'),
  ])
  const open = targetOpener()
  const state = openState(join(work, 'state'))
  const began = (/** @type {Counts} */ counts) => {
    started()
    state.write(counts)
  }
  const surroundings = { reader: reader(join(work, 'input'), confinement), confinement, began, rested: started }
  for (const { inputs, first, ...named } of targets) {
    began({ ...noCounts(), next: first })
    send({ type: 'started', ...named })
    confinement.release()
    const target = await open(named)
    const report = (/** @type {object} */ finding) => send({ type: 'found', finding })
    const counts = await fuzz(target, { seed, inputs, first, growth, keep, work }, { ...surroundings, report })
    send({ type: 'done', ...named, counts })
  }
}

/** @param {Extract<Task, { do: 'read' }>} task */
async function readOne({ target: named, seed, number, file, profile, work, limitSeconds }) {
  const confinement = installConfinement()
  const started = watchTime(limitSeconds)
  const [{ reader }, { shortly }, { fromJson }, { freshInput }] = await Promise.all([
    import('./attempt.mjs'),
    import('./errors.mjs'),
    import('./input.mjs'),
    import('./target.mjs'),
  ])
  const target = await targetOpener()(named)
  const input =
    file === undefined ? freshInput(target, seed, number ?? 0) : fromJson(JSON.parse(readFileSync(file, 'utf8')).input)
  const { once, attempt, hot } = reader(join(work, 'input'), confinement)
  for (const valid of target.valid) await once(target, valid, false)
  started()
  if (profile === true) return send({ type: 'profiled', hot: await hot(target, input) })
  const { fate, cost, error, strays } = await attempt(target, input)
  send({ type: 'read', fate, cost, strays, error: error === undefined ? undefined : shortly(error) })
}

const task = /** @type {Task} */ (JSON.parse(process.argv[2] ?? ''))
process.on('SIGINT', () => undefined) // the parent receives it as well, and decides
try {
  if (task.do === 'list') await list(task)
  else if (task.do === 'fuzz') await feed(task)
  else await readOne(task)
} catch (error) {
  writeSync(2, error instanceof Error ? (error.stack ?? String(error)) : String(error))
  process.exitCode = 1
}
process.exit()
