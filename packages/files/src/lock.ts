import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { makeFolder } from './make-folder.js'

const HEARTBEAT_SECONDS = 5
const POLL_SECONDS = 0.25
/** Number of polls after which an empty lock file counts as abandoned. */
const EMPTY_POLLS = HEARTBEAT_SECONDS / POLL_SECONDS
/** Default time without a heartbeat after which a lock of another host counts as abandoned. */
const STALE_SECONDS = 60

/** The process that holds a lock. */
export interface LockOwner {
  readonly process: number
  readonly host: string
  /** Seconds since its last heartbeat. */
  readonly silentSeconds: number
}

/** A lock that this process holds. */
export interface Lock {
  /** True unless another process took the lock over, having considered this one dead. */
  isHeld(): Promise<boolean>
  release(): Promise<void>
}

const textOf = (read: () => string): string => {
  try {
    return read().trim()
  } catch {
    return ''
  }
}

/**
 * Identifies the scope in which process ids are comparable: containers may share a host name but not processes, and ids are reused
 * after a reboot.
 */
function machine(): string {
  const boot = textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))
  const namespace = textOf(() => readlinkSync('/proc/self/ns/pid'))
  return encodeURIComponent([hostname(), boot, namespace].join(' '))
}

/** Start time of a process in kernel ticks since boot; empty if the system does not provide it. */
const startOf = (process_: number): string =>
  textOf(
    () =>
      readFileSync(`/proc/${process_}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? '',
  )

function isRunning(process_: number, start: string): boolean {
  try {
    process.kill(process_, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return startOf(process_) === start
}

/** Content of a lock file: its holder. */
interface Holding {
  readonly process: number
  readonly start: string
  readonly machine: string
}

function parseHolding(content: string): Holding {
  const [, process_ = '', start = '', on = ''] = content.split(' ')
  return { process: Number(process_), start: start.slice(1), machine: on }
}

/** Reads the owner of a lock; undefined if it is free. */
async function readOwner(path: string) {
  const content = await readFile(path, 'utf8').catch(() => undefined)
  const found = await stat(path).catch(() => undefined)
  if (content === undefined || found === undefined) return undefined
  const holding = parseHolding(content)
  const [host = 'another host'] = decodeURIComponent(holding.machine).split(' ')
  return { content, holding, host, silentSeconds: (Date.now() - found.mtimeMs) / 1000 }
}

/** True if the owner's process has ended, or, on another machine, its heartbeat has stopped. */
function isAbandoned({ holding, silentSeconds }: { holding: Holding; silentSeconds: number }, stale: number): boolean {
  if (holding.machine === machine()) return !isRunning(holding.process, holding.start)
  return silentSeconds > stale
}

/** Removes an abandoned lock, but not a new one that was created meanwhile. */
async function clear(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomUUID().slice(0, 8)}`
  await rename(path, aside).catch(() => undefined)
  const taken = await readFile(aside, 'utf8').catch(() => content)
  if (taken !== content) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}

function held(path: string, content: string): Lock {
  const beat = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => undefined) // a removed lock is not recreated
  }, HEARTBEAT_SECONDS * 1000)
  beat.unref()
  const isHeld = async (): Promise<boolean> => (await readFile(path, 'utf8').catch(() => '')) === content
  return {
    isHeld,
    async release() {
      clearInterval(beat)
      if (await isHeld()) await rm(path, { force: true })
    },
  }
}

/**
 * Acquires a lock, or returns its owner. The lock is a file created exclusively. It names its process and is touched every five
 * seconds, so that an abandoned lock is detected: immediately if the process ran on this machine, otherwise by the missing
 * heartbeat. Node has no `flock`.
 * @param staleSeconds seconds without a heartbeat after which a lock of another machine counts as abandoned; default 60
 * @param signal aborts the wait for an empty lock file, which takes up to five seconds
 */
export async function takeLock(
  path: string,
  staleSeconds: number = STALE_SECONDS,
  signal?: AbortSignal,
): Promise<Lock | LockOwner> {
  makeFolder(dirname(path))
  const content = `${randomUUID()} ${process.pid} :${startOf(process.pid)} ${machine()}`
  for (let polls = 0; ;) {
    try {
      await writeFile(path, content, { flag: 'wx' })
      return held(path, content)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = await readOwner(path)
    if (owner === undefined) continue
    const isNamed = owner.content !== ''
    if (!isNamed && polls++ < EMPTY_POLLS) {
      // Its process is about to write its name, or was killed after creating the file.
      await wait(POLL_SECONDS * 1000, undefined, signal && { signal })
      continue
    }
    if (isNamed && !isAbandoned(owner, staleSeconds))
      return { process: owner.holding.process, host: owner.host, silentSeconds: owner.silentSeconds }
    await clear(path, owner.content)
  }
}

/** Runs `act` while holding a lock; waits while another process holds it. */
export async function withLock<T>(
  path: string,
  act: () => Promise<T>,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait: () => void },
): Promise<T> {
  signal.throwIfAborted()
  let lock = await takeLock(path, STALE_SECONDS, signal)
  if (!('release' in lock)) onWait()
  while (!('release' in lock)) {
    await wait(POLL_SECONDS * 1000, undefined, { signal })
    lock = await takeLock(path, STALE_SECONDS, signal)
  }
  try {
    return await act()
  } finally {
    await lock.release()
  }
}
