import { once } from 'node:events'
import { withLock } from './lock.js'

/** A process that acquires a lock, reports it, and holds it until its standard input ends. */
const [path = ''] = process.argv.slice(2)
const ended = once(process.stdin.resume(), 'end')
await withLock(
  path,
  async () => {
    process.stdout.write('held\n')
    await ended
  },
  { signal: new AbortController().signal, onWait: () => process.stdout.write('waits\n') },
)
