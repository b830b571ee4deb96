// @ts-check
/** Kills a run at random moments until it has been killed often enough, and lets it end. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configOf, root, rows } from './run-types.mjs'

const cli = join(root, 'packages/cli/dist/main.js')

/** @typedef {() => number} Random uniform in [0, 1) */

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
    const watcher = kill === undefined || kill.growths === 0 ? undefined : watch(folder, { recursive: true })
    watcher?.on('change', (_, name) => {
      if (String(name).endsWith('events.jsonl') && ++growths === kill?.growths) end()
    })
    if (kill?.growths === 0) end()
    child.on('exit', (code, signal) => {
      watcher?.close()
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
 * Kills a run of a type so many times, resumes it each time, and lets it end.
 * @param {import('./run-types.mjs').RunType} type
 * @param {{ folder: string, kills: number, random: Random, onKill?: (kills: number) => void }} how
 * @returns {Promise<{ killed: number, whole: string, resumed: string }>} digests of the model of a run that was left alone, and of this
 */
export async function killRun(type, { folder, kills, random, onKill }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'train.jsonl'), rows)
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(configOf(type)))
  const begin = (/** @type {string} */ directory) => ['train', 'config.yaml', '--directory', directory]
  const started = performance.now()
  await attune(folder, begin('whole'))
  const wholeMilliseconds = performance.now() - started
  let killed = 0
  for (let going = true; going;) {
    const resumed = existsSync(join(folder, 'killed/config.json'))
    const kill = killed < kills ? moment(random, wholeMilliseconds / 2) : undefined
    const isKilled = await attune(folder, resumed ? ['train', '--resume', 'killed'] : begin('killed'), kill)
    if (isKilled) {
      killed++
      onKill?.(killed)
    }
    // A process that ended before its moment came is resumed again: it saves the same model.
    going = isKilled || killed < kills
  }
  return { killed, whole: modelDigest(join(folder, 'whole')), resumed: modelDigest(join(folder, 'killed')) }
}
