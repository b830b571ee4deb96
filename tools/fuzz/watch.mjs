// @ts-check
/** Watches, in a thread of its own, that inputs follow one another. */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

const MILLISECONDS = 60_000
const at = /** @type {Int32Array} */ (workerData)
let last = ''
setInterval(() => {
  const now = `reader ${Atomics.load(at, 0)}, input ${Atomics.load(at, 1)}`
  if (now === last) {
    writeSync(2, `${now}: more than a minute\n`)
    process.kill(process.pid, 'SIGKILL')
  }
  last = now
}, MILLISECONDS)
