import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AttuneError } from '@attune/core'

/** Bytes that can be read at any place: a file's, or some in memory. */
export interface ByteSource {
  /** What to call it in errors. */
  readonly where: string
  /** In bytes. */
  readonly size: number
  /** Fills `target` with the bytes from `position` on; all of them must be there. */
  read(target: Uint8Array, position: number): void
  close(): void
}

/** More than this in one call is beyond what some systems read at once. */
const MAXIMUM_READ = 1 << 30

/** Bytes in memory. */
export const memorySource = (bytes: Uint8Array, where: string): ByteSource => ({
  where,
  size: bytes.length,
  read: (target, position) => target.set(bytes.subarray(position, position + target.length)),
  close: () => undefined,
})

const unreadable = (path: string, cause: unknown): AttuneError =>
  (cause as NodeJS.ErrnoException).code === 'ENOENT'
    ? new AttuneError('FILE_NOT_FOUND', `there is no file ${path}`, 'Check the path.', { cause })
    : new AttuneError(
        'FILE_NOT_READABLE',
        `${path} could not be read: ${(cause as Error).message}`,
        'Check that it is a file, and one that you may read.',
        { cause },
      )

function guarded<R>(path: string, work: () => R): R {
  try {
    return work()
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function fill(file: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length;) {
    const got = readSync(file, target, done, Math.min(target.length - done, MAXIMUM_READ), position + done)
    if (got === 0) throw new Error('it became shorter while it was read')
    done += got
  }
}

/** A file, of which nothing is read but what is asked for. @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`. */
export function fileSource(path: string): ByteSource {
  const file = guarded(path, () => openSync(path, 'r'))
  try {
    const stat = guarded(path, () => fstatSync(file))
    if (!stat.isFile()) throw unreadable(path, new Error('it is not a file'))
    return {
      where: path,
      size: stat.size,
      read: (target, position) => guarded(path, () => fill(file, target, position)),
      close: () => closeSync(file),
    }
  } catch (error) {
    closeSync(file)
    throw error
  }
}
