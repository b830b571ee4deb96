import { type Stats, closeSync, fstatSync, readSync } from 'node:fs'
import { AttuneError } from '@attune/core'
import { openRegularFile, readRemedy } from '@attune/files'
import type { ByteSource } from './byte-source.js'

/** More than this in one call is beyond what some systems read at once. */
const MAXIMUM_READ = 1 << 30

const unreadable = (path: string, cause: unknown): AttuneError => {
  const { code = '', message } = cause as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? new AttuneError('FILE_NOT_FOUND', `there is no file ${path}`, 'Check the path.', { cause })
    : new AttuneError(
        'FILE_NOT_READABLE',
        `${path} could not be read: ${message}`,
        readRemedy(cause, 'Check that it is a file, and one that you may read.'),
        { cause },
      )
}

/** Runs `work` and turns errors of the file system into those for users: `FILE_NOT_FOUND`, `FILE_NOT_READABLE`. */
export function guarded<R>(path: string, work: () => R): R {
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
  const file = guarded(path, () => openRegularFile(path))
  return {
    where: path,
    size: fstatSync(file).size,
    read: (target, position) => guarded(path, () => fill(file, target, position)),
    close: () => closeSync(file),
  }
}

const stampOf = ({ dev, ino, size, mtimeMs }: Stats): string => [dev, ino, size, mtimeMs].join()

/**
 * A file as {@link fileSource} reads it that is opened when something is read and can be closed in between: `close` only
 * gives its descriptor back. Reading refuses it once it is another file than at first.
 */
export function reopenedSource(path: string): ByteSource {
  let file: number | undefined = guarded(path, () => openRegularFile(path))
  const first = fstatSync(file)
  const opened = (): number => {
    if (file !== undefined) return file
    file = openRegularFile(path)
    if (stampOf(fstatSync(file)) !== stampOf(first)) throw new Error('it changed while it was read')
    return file
  }
  return {
    where: path,
    size: first.size,
    read: (target, position) => guarded(path, () => fill(opened(), target, position)),
    close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}
