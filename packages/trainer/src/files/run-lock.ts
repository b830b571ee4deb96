import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import { type Lock, takeLock, writeFault } from '@attune/files'

/** The file that the process which trains in a folder holds. */
export const LOCK = 'run.lock'

/** A step of a large model may keep a process from its heartbeat for minutes. */
const STALE_SECONDS = 600

const inUse = (directory: string, who: string): AttuneError =>
  new AttuneError(
    'RUN_IN_USE',
    `${directory} is in use: ${who}`,
    `Wait until it is done or stop it. If it ended on another machine without a word: rm "${join(directory, LOCK)}"`,
  )

/**
 * Takes the lock of a run's folder, which is made if it is not there.
 * @throws AttuneError `RUN_IN_USE` if another process, or another run of this one, has it; `BAD_ARGUMENT` if it is a file;
 *   `CANNOT_WRITE`
 */
export async function lockRun(directory: string): Promise<Lock> {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `${directory} is a file, and a run is kept in a folder`,
      'Name a folder that is empty or not there yet.',
    )
  const taken = await takeLock(join(directory, LOCK), STALE_SECONDS).catch((cause: unknown) => {
    throw writeFault(directory, cause, 'Choose a folder that this user may write to.')
  })
  if ('release' in taken) return taken
  const { process: id, host, silentSeconds } = taken
  throw inUse(directory, `process ${id} on ${host} trains there (last heard of ${Math.round(silentSeconds)} s ago)`)
}

/**
 * Makes sure, before something is written, that no other process took the folder over meanwhile.
 * @throws AttuneError `RUN_IN_USE`
 */
export async function requireLock(directory: string, lock: Lock): Promise<void> {
  if (await lock.isHeld()) return
  throw inUse(directory, 'another process took it over, because this one gave no sign of life for long')
}

/** Gives the lock back, and removes the folder if nothing else is in it. */
export async function unlockRun(directory: string, lock: Lock): Promise<void> {
  await lock.release()
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory)
}
