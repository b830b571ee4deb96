import { type Stats, closeSync, fstatSync, readSync } from 'node:fs'
import { AttuneError } from '@attune/core'
import { openRegularFile, readRemedy } from '@attune/files'
import type { ByteSource } from './byte-source.js'

/** Maximum number of bytes per read call; some systems do not read more at once. */
const MAXIMUM_READ = 1 << 30

const unreadable = (path: string, cause: unknown): AttuneError => {
  const { code = '', message } = cause as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? new AttuneError('FILE_NOT_FOUND', `file ${path} does not exist`, 'Check the path.', { cause })
    : new AttuneError(
        'FILE_NOT_READABLE',
        `cannot read ${path}: ${message}`,
        readRemedy(cause, 'Check that it is a regular file and that you have permission to read it.'),
        { cause },
      )
}

/** Runs `work` and converts file system errors into `FILE_NOT_FOUND` and `FILE_NOT_READABLE`. */
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
    if (got === 0) throw new Error('it was truncated during reading')
    done += got
  }
}

/** Opens a file; bytes are read on request only. @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`. */
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
 * Like {@link fileSource}, but reopens the file for the next read after `close`, which only releases the descriptor. Throws if the
 * file was replaced in between.
 */
export function reopenedSource(path: string): ByteSource {
  let file: number | undefined = guarded(path, () => openRegularFile(path))
  const first = fstatSync(file)
  const opened = (): number => {
    if (file !== undefined) return file
    file = openRegularFile(path)
    if (stampOf(fstatSync(file)) !== stampOf(first)) throw new Error('it changed during reading')
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
