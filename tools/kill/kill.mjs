// @ts-check
/** Kills runs and resumes them: one run at random moments, or several runs of one process between their first checkpoint and their end. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root, rows } from './run-types.mjs'

const cli = join(root, 'packages/cli/dist/main.js')
const together = join(root, 'tools/kill/train-together.mjs')
/** Folders of the run that is killed, and of the one that is not. */
const [KILLED, WHOLE] = ['killed', 'whole']

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
 * @param {{ folder: string, kills: number, random: Random }} how
 * @returns {Promise<{ killed: number, whole: string, ended: string[] }>} digests of the model of an uninterrupted run, and of the models
 *   of the killed and resumed runs
 */
export async function killRuns(type, { folder, kills, random }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'train.jsonl'), rows)
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(type.config))
  const begin = (/** @type {string} */ directory) => ['train', 'config.yaml', '--directory', directory]
  const run = join(folder, KILLED)
  const started = performance.now()
  await attune(folder, begin(WHOLE))
  const wholeMilliseconds = performance.now() - started
  const ended = []
  let killed = 0
  for (let isKilled = false; isKilled || killed < kills;) {
    const kill = killed < kills ? moment(random, wholeMilliseconds / 2) : undefined
    const resumed = existsSync(join(run, 'config.json'))
    isKilled = await attune(folder, resumed ? ['train', '--resume', KILLED] : begin(KILLED), kill)
    if (isKilled) killed++
    else {
      ended.push(modelDigest(run))
      rmSync(run, { recursive: true })
    }
  }
  return { killed, whole: modelDigest(join(folder, WHOLE)), ended }
}

/**
 * Trains the runs of a folder in one process. With `names`, sends SIGKILL once each of these runs has saved a checkpoint.
 * @param {string} folder @param {string} run @param {readonly string[]} [names]
 * @returns {Promise<Set<string>>} lines of train-together.mjs
 */
function trainTogether(folder, run, names) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [together, folder, run], { stdio: ['ignore', 'pipe', 'pipe'] })
    /** @type {Set<string>} */
    const lines = new Set()
    let said = ''
    child.stderr.on('data', (chunk) => (said += chunk))
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.add(line)
      if (names?.every((name) => lines.has(`checkpoint.saved ${name}`))) child.kill('SIGKILL')
    })
    child.on('close', (code, signal) => {
      if (names === undefined ? code === 0 : signal === 'SIGKILL') resolve(lines)
      else reject(new Error(`${together} ended with ${code ?? signal}: ${said}`))
    })
  })
}

/**
 * Trains runs at the same time in one process, kills it with SIGKILL once each of them has saved a checkpoint, and resumes all of them in
 * another process. The time to start a process and to load modules is thus spent once for all of them.
 * @param {ReadonlyMap<string, import('./run-types.mjs').RunType>} types by the name of a folder
 * @param {string} folder
 * @returns {Promise<Map<string, { wasTraining: boolean, whole: string, resumed: string }>>} of each run: true if it was killed before its
 *   end and resumed from a checkpoint, and digests of the models of an uninterrupted run and of the resumed one
 */
export async function killTogether(types, folder) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'train.jsonl'), rows)
  writeFileSync(
    join(folder, 'runs.json'),
    JSON.stringify(Object.fromEntries([...types].map(([name, { config }]) => [name, config]))),
  )
  const names = [...types.keys()]
  await trainTogether(folder, WHOLE)
  const killed = await trainTogether(folder, KILLED, names)
  const resumed = await trainTogether(folder, KILLED)
  return new Map(
    names.map((name) => [
      name,
      {
        wasTraining: !killed.has(`training.completed ${name}`) && resumed.has(`run.resumed ${name}`),
        whole: modelDigest(join(folder, name, WHOLE)),
        resumed: modelDigest(join(folder, name, KILLED)),
      },
    ]),
  )
}
