// @ts-check
/** Worker thread that ends the process when an input takes too long; nothing else can while a reader is in a loop. */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

/** `began`: CPU time and wall-clock time at the start of the current input, in seconds. @type {{ began: Float64Array, limitSeconds: number, channel: number }} */
const { began, limitSeconds, channel } = workerData
/** CPU utilization above which a process is computing and not only waiting. */
const BUSY = 0.02

setInterval(() => {
  const { user, system } = process.cpuUsage()
  const seconds = (user + system) / 1e6 - began[0]
  const waited = performance.timeOrigin / 1000 + performance.now() / 1000 - began[1]
  const why =
    seconds > limitSeconds
      ? `it took more than ${limitSeconds} s of CPU time`
      : waited > limitSeconds && seconds < BUSY * waited
        ? `it has waited for more than ${limitSeconds} s`
        : undefined
  if (why === undefined || began[1] === 0) return
  writeSync(channel, `${JSON.stringify({ type: 'stopped', why })}\n`)
  process.kill(process.pid, 'SIGKILL')
}, 500)
