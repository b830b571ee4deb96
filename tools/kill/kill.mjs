// @ts-check
/** Kills runs at random moments and resumes them, until there were kills enough. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configOf, root, rows } from './run-types.mjs'

const cli = join(root, 'packages/cli/dist/main.js')
/** Folder of the run that is killed. */
const KILLED = 'killed'

/** @typedef {() => number} Random uniform in [0, 1) */

/**
 * Calls `grown` each time the log of the run in `folder` grows, once there is such a run.
 * @param {string} folder @param {() => void} grown @returns {() => void} ends that
 */
function watchLog(folder, grown) {
  const run = join(folder, KILLED)
  // Not recursively: Node looks into folders that are gone again, like the model's old one.
  const watchRun = () => watch(run, (_, name) => void (name === 'events.jsonl' && grown()))
  let watcher = existsSync(run)
    ? watchRun()
    : watch(folder, (_, name) => {
        if (name !== KILLED || !existsSync(run)) return
        watcher.close()
        watcher = watchRun()
      })
  return () => watcher.close()
}

/**
 * Runs the command. With `kill`, sends SIGKILL so many milliseconds after the run's log has grown so many times, 0 for after the
 * process was started.
 * @param {string} folder @param {string[]} args @param {{ growths: number, delay: number }} [kill]
 * @returns {Promise<boolean>} true if it was killed, false if it ended
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

/** Digest of the model that a run saved. @param {string} run */
const modelDigest = (run) =>
  createHash('sha256')
    .update(readFileSync(join(run, 'model/model.safetensors')))
    .digest('hex')

/**
 * A moment at which to kill: a third of the time while the process starts, else after some events. Most kills are early, so that
 * a run gets on between them.
 * @param {Random} random @param {number} startMilliseconds
 */
const moment = (random, startMilliseconds) =>
  random() < 1 / 3
    ? { growths: 0, delay: random() * startMilliseconds }
    : { growths: 1 + Math.floor(random() ** 2 * 60), delay: random() * 15 }

/**
 * Starts runs of a type, kills them so many times in all, resumes them after each kill, and lets each end that is not killed before.
 * @param {import('./run-types.mjs').RunType} type
 * @param {{ folder: string, kills: number, random: Random, onKill?: () => void }} how
 * @returns {Promise<{ killed: number, whole: string, ended: string[] }>} digests of the model of a run that was left alone, and of those
 *   that these runs ended with
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
