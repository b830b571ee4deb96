import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { AttuneError } from '@attune/core'

const REASONS: Readonly<Record<string, string>> = {
  EDQUOT: 'the disk quota of this user is used up',
  EROFS: 'the file system is mounted read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENAMETOOLONG: 'the name is longer than the file system allows',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EFBIG: 'the file is larger than the file system or a limit of the process allows',
  EIO: 'the disk reports an input/output error',
}

/** Nearest folder on the way to a path that exists. */
const existing = (path: string): string => {
  const parent = dirname(path)
  return existsSync(path) || parent === path ? path : existing(parent)
}

/** True if the file system has room and cannot hold one file more. */
function hasNoInodes(path: string): boolean {
  try {
    const { files, ffree } = statfsSync(existing(path))
    return files > 0 && ffree === 0
  } catch {
    return false
  }
}

/**
 * Makes the error `CANNOT_WRITE` of an error of the file system. It names the cause: a full disk, no free inodes, a read-only
 * file system, missing rights, a quota.
 * @param remedy one sentence in the imperative
 */
export function writeFault(path: string, cause: unknown, remedy: string): AttuneError {
  const { code = '', message } = cause as NodeJS.ErrnoException
  const full = hasNoInodes(path)
    ? 'the disk has no free inodes: it holds as many files as it can'
    : 'the disk is full: no space is left on it'
  const reason = code === 'ENOSPC' ? full : (REASONS[code] ?? message)
  return new AttuneError('CANNOT_WRITE', `${path} could not be written: ${reason}`, remedy, { cause })
}
