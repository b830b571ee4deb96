// @ts-check
/** Ends the process, from a thread of its own, when an input takes too long: nothing else can while a reader is in a loop. */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

/** `began` has the processor time and the time at which the input that is read now began, in seconds. @type {{ began: Float64Array, limitSeconds: number, channel: number }} */
const { began, limitSeconds, channel } = workerData
/** Fraction of the time in which a process that computes, and does not only wait, has the processor at least. */
const BUSY = 0.02

setInterval(() => {
  const { user, system } = process.cpuUsage()
  const seconds = (user + system) / 1e6 - began[0]
  const waited = performance.timeOrigin / 1000 + performance.now() / 1000 - began[1]
  const why =
    seconds > limitSeconds
      ? `it took more than ${limitSeconds} s of processor time`
      : waited > limitSeconds && seconds < BUSY * waited
        ? `it has waited for more than ${limitSeconds} s`
        : undefined
  if (why === undefined || began[1] === 0) return
  writeSync(channel, `${JSON.stringify({ type: 'stopped', why })}\n`)
  process.kill(process.pid, 'SIGKILL')
}, 500)
