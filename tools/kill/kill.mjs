// @ts-check
/** Kills runs at random moments and resumes them, until the number of kills is reached. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configOf, root, rows } from './run-types.mjs'

const cli = join(root, 'packages/cli/dist/main.js')
/** Folder of the run. */
const KILLED = 'killed'

/** @typedef {() => number} Random uniform in [0, 1) */

/**
 * Calls `grown` each time the event log of the run in `folder` grows, once the run exists.
 * @param {string} folder @param {() => void} grown @returns {() => void} stops watching
 */
function watchLog(folder, grown) {
  const run = join(folder, KILLED)
  // Not recursive: Node opens folders that may be gone already, such as the previous model folder.
  const watchRun = () => watch(run, (_, name) => void (name === 'events.jsonl' && grown()))
  let monitor = existsSync(run)
    ? watchRun()
    : watch(folder, (_, name) => {
        if (name !== KILLED || !existsSync(run)) return
        monitor.close()
        monitor = watchRun()
      })
  return () => monitor.close()
}

/**
 * Runs the command. With `kill`, sends SIGKILL the given number of milliseconds after the run's log has grown the given number of times
 * (0: after the process started).
 * @param {string} folder @param {string[]} args @param {{ growths: number, delay: number }} [kill]
 * @returns {Promise<boolean>} true if it was killed, false if it finished
 */
function attune(folder, args, kill) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', XDG_STATE_HOME: join(folder, 'state') }
    const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk) => (said += chunk))
    const end = () => setTimeout(() => child.kill('SIGKILL'), kill?.delay)
    let growths = 0
    const grown = () => void (++growths === kill?.growths && end())
    const unwatch = kill === undefined || kill.growths === 0 ? () => undefined : watchLog(folder, grown)
    if (kill?.growths === 0) end()
    child.on('exit', (code, signal) => {
      unwatch()
      if (code === 0 || signal === 'SIGKILL') resolve(signal === 'SIGKILL')
      else reject(new Error(`exit code ${code} of attune ${args.join(' ')}: ${said}`))
    })
  })
}

/** Digest of a run's saved model. @param {string} run */
const modelDigest = (run) =>
  createHash('sha256')
    .update(readFileSync(join(run, 'model/model.safetensors')))
    .digest('hex')

/**
 * A random moment to kill: a third of the time during startup, else after some events. Most kills are early, so that a run makes progress
 * between them.
 * @param {Random} random @param {number} startMilliseconds
 */
const moment = (random, startMilliseconds) =>
  random() < 1 / 3
    ? { growths: 0, delay: random() * startMilliseconds }
    : { growths: 1 + Math.floor(random() ** 2 * 60), delay: random() * 15 }

/**
 * Starts runs of a type, kills them the given number of times in total, resumes them after each kill, and lets the last one finish.
 * @param {import('./run-types.mjs').RunType} type
 * @param {{ folder: string, kills: number, random: Random, onKill?: () => void }} how
 * @returns {Promise<{ killed: number, whole: string, ended: string[] }>} digests of the model of an uninterrupted run, and of the models
 *   of the killed and resumed runs
 */
export async function killRuns(type, { folder, kills, random, onKill }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'train.jsonl'), rows)
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(configOf(type)))
  const begin = (/** @type {string} */ directory) => ['train', 'config.yaml', '--directory', directory]
  const run = join(folder, KILLED)
  const started = performance.now()
  await attune(folder, begin('whole'))
  const wholeMilliseconds = performance.now() - started
  const ended = []
  let killed = 0
  for (let isKilled = false; isKilled || killed < kills;) {
    const kill = killed < kills ? moment(random, wholeMilliseconds / 2) : undefined
    const resumed = existsSync(join(run, 'config.json'))
    isKilled = await attune(folder, resumed ? ['train', '--resume', KILLED] : begin(KILLED), kill)
    if (isKilled) {
      killed++
      onKill?.()
      continue
    }
    ended.push(modelDigest(run))
    rmSync(run, { recursive: true })
  }
  return { killed, whole: modelDigest(join(folder, 'whole')), ended }
}
