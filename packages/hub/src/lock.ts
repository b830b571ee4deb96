import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, link, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const HEARTBEAT_SECONDS = 5
/** A lock without a heartbeat for so long is nobody's. */
const STALE_SECONDS = 60
const LOOK_AGAIN_SECONDS = 0.25

const isRunning = (process_: number): boolean => {
  try {
    return process.kill(process_, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether the owner of a lock is gone: its process has ended here, or no sign of it has come for a minute. */
async function isAbandoned(path: string, content: string): Promise<boolean> {
  const [, owner, host] = content.split(' ')
  if (host === hostname() && Number(owner) !== process.pid && !isRunning(Number(owner))) return true
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > STALE_SECONDS * 1000
}

/** Removes an abandoned lock, and no other that was made in its place meanwhile. */
async function clear(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomUUID().slice(0, 8)}`
  await rename(path, aside).catch(() => undefined)
  const taken = await readFile(aside, 'utf8').catch(() => content)
  if (taken !== content) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}

async function acquire(path: string, content: string, signal: AbortSignal, onWait: () => void): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  for (let told = false; ;) {
    signal.throwIfAborted()
    try {
      await writeFile(path, content, { flag: 'wx' })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const held = await readFile(path, 'utf8').catch(() => undefined)
    if (held !== undefined && (await isAbandoned(path, held))) {
      await clear(path, held)
      continue
    }
    if (!told) onWait()
    told = true
    await wait(LOOK_AGAIN_SECONDS * 1000, undefined, { signal })
  }
}

/**
 * Does something that only one process may do at a time. The lock is a file that one process can create; it says whose it
 * is, and is kept fresh, so that one that was left behind by a process that ended is known. The Python library locks with
 * `flock`, which Node has not; so the two do not wait for each other, and need not: each writes under names of its own and
 * renames what is whole.
 */
export async function withLock<T>(
  path: string,
  act: () => Promise<T>,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait: () => void },
): Promise<T> {
  const content = `${randomUUID()} ${process.pid} ${hostname()}`
  await acquire(path, content, signal, onWait)
  const beat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => undefined) // a lock that someone removed is not made again
  }, HEARTBEAT_SECONDS * 1000)
  beat.unref()
  try {
    return await act()
  } finally {
    clearInterval(beat)
    if ((await readFile(path, 'utf8').catch(() => '')) === content) await rm(path, { force: true })
  }
}
