// @ts-check
/** Starts processes that read inputs, and receives their messages. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** @import { Readable } from 'node:stream' */
/** @import { Task } from './child.mjs' */

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url))
/** Heap limit of a process in MB: more than any input may take. */
const HEAP = 2048

/**
 * Exit status of a process, and the end of its error output.
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null, said: string }} End
 */

/**
 * Runs a task in a child process.
 * @param {Task} task @param {string} folder working directory and home of the process
 * @param {(message: any) => void} received called for each message
 * @param {AbortSignal} [stop] ends the process immediately
 * @returns {Promise<End>}
 */
export function runChild(task, folder, received, stop) {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--no-warnings', `--max-old-space-size=${HEAP}`, CHILD, JSON.stringify(task)],
    {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, HF_TOKEN: 'hf_not_a_token' },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  )
  const kill = () => void child.kill('SIGKILL')
  if (stop?.aborted === true) kill()
  stop?.addEventListener('abort', kill)
  let said = ''
  const [, , errors, channel] = child.stdio
  errors?.on('data', (/** @type {Buffer} */ chunk) => void (said = (said + chunk.toString()).slice(-4000)))
  const lines = createInterface({ input: /** @type {Readable} */ (channel) })
  lines.on('line', (line) => received(JSON.parse(line)))
  const spoken = new Promise((done) => lines.on('close', done))
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (code, signal) => {
      stop?.removeEventListener('abort', kill)
      spoken.then(() => done({ code, signal, said }))
    })
  })
}

/** Describes the end of a process in one line. @param {End} end */
export function reasonOf({ code, signal, said }) {
  const fatal = /FATAL ERROR: .*/.exec(said)?.[0]
  if (fatal !== undefined) return fatal
  if (code === 13) return 'the event loop is empty, but the read has not finished'
  const error = said.split('\n').find((line) => /Error/.test(line))
  return `the process ended (${signal ?? `exit code ${code}`})${error === undefined ? '' : `: ${error}`}`
}
