import { setTimeout as wait } from 'node:timers/promises'
import { withLock } from './lock.js'

/** A process that takes a lock, says so, and holds it for a time. */
const [path = '', milliseconds = '0'] = process.argv.slice(2)
await withLock(
  path,
  async () => {
    process.stdout.write('held\n')
    await wait(Number(milliseconds))
  },
  { signal: new AbortController().signal, onWait: () => process.stdout.write('waits\n') },
)
