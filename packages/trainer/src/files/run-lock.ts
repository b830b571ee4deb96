import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError } from '@attune/core'
import { type Lock, takeLock, writeFault } from '@attune/files'

/** Lock file of the process that trains in a folder. */
export const LOCK = 'run.lock'

/** A lock is stale after this time; a step of a large model may delay the heartbeat by minutes. */
const STALE_SECONDS = 600

const inUse = (directory: string, who: string): AttuneError =>
  new AttuneError(
    'RUN_IN_USE',
    `${directory} is in use: ${who}`,
    `Wait until it ends, or stop it. If it crashed on another machine, remove the lock: rm "${join(directory, LOCK)}"`,
  )

/**
 * Takes the lock of a run folder, creating the folder if necessary.
 * @throws AttuneError `RUN_IN_USE` if another process, or another run of this process, holds it; `BAD_ARGUMENT` if the path is a file;
 *   `CANNOT_WRITE`
 */
export async function lockRun(directory: string): Promise<Lock> {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected a folder for the run, got the file ${directory}`,
      'Use an empty or new folder.',
    )
  const taken = await takeLock(join(directory, LOCK), STALE_SECONDS).catch((cause: unknown) => {
    throw writeFault(directory, cause, 'Choose a folder that this user may write to.')
  })
  if ('release' in taken) return taken
  const { process: id, host, silentSeconds } = taken
  throw inUse(
    directory,
    `process ${id} on ${host} is training there (last heartbeat ${Math.round(silentSeconds)} s ago)`,
  )
}

/**
 * Verifies, before a write, that no other process has taken over the folder.
 * @throws AttuneError `RUN_IN_USE`
 */
export async function requireLock(directory: string, lock: Lock): Promise<void> {
  if (await lock.isHeld()) return
  throw inUse(directory, 'another process took it over after a long gap in the heartbeat of this process')
}

/** Releases the lock, and removes the folder if it is empty. */
export async function unlockRun(directory: string, lock: Lock): Promise<void> {
  await lock.release()
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory)
}
