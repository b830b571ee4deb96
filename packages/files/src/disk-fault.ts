import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

/** Returns the free bytes and inodes of the file system of a path. */
export type Statistics = (path: string) => {
  readonly bavail: number
  readonly bsize: number
  readonly files: number
  readonly ffree: number
}

/** Codes of network errors, which have `errno` and `syscall` like those of files. */
const NETWORK = /^(EAI_|ECONN|EHOST|ENET|ENOTFOUND|EPIPE|ETIMEDOUT|EADDR)/

const REASONS: Readonly<Record<string, string>> = {
  EDQUOT: 'the disk quota of this user is used up',
  EROFS: 'the file system is mounted read-only',
  EACCES: 'this user has no write permission there',
  EPERM: 'this user has no write permission there',
  ENAMETOOLONG: 'a name in it is longer than the file system allows',
  EMFILE: 'too many files are open in this process',
  ENFILE: 'too many files are open in the system',
  EISDIR: 'expected a file, found a folder',
  ERR_FS_EISDIR: 'expected a file, found a folder',
  ENOTDIR: 'expected a folder, found a file',
  EEXIST: 'expected a folder, found a file',
  ENOTEMPTY: 'expected a file, found a folder',
  EIO: 'the disk reports an input/output error',
  EFBIG: 'the file is larger than the file system or a limit of the process allows',
  ELOOP: 'symbolic links form a cycle',
  ENOENT: 'a folder is missing',
  ENXIO: 'expected a file, found a device or pipe',
}

/** Returns the nearest existing ancestor of a path. */
const existing = (path: string): string => {
  const parent = dirname(path)
  return existsSync(path) || parent === path ? path : existing(parent)
}

function noSpace(path: string, statistics: Statistics): string {
  try {
    const { bavail, bsize, files, ffree } = statistics(existing(path))
    // File systems that allocate inodes on demand report a total of 0.
    return files > 0 && ffree === 0
      ? 'the disk has no free inodes: the maximum number of files is reached'
      : `the disk is full: ${bavail * bsize} bytes are free`
  } catch {
    return 'the disk is full'
  }
}

/**
 * Describes the cause of a file system error: a full disk, no free inodes, a read-only file system, missing permissions, a quota.
 * @param path the path that could not be written
 * @param statistics source of free bytes and inodes; default `statfsSync`
 * @returns undefined for other errors
 */
export function diskFault(error: unknown, path: string, statistics: Statistics = statfsSync): string | undefined {
  const { errno, syscall, code, message } = (error ?? {}) as NodeJS.ErrnoException
  if (typeof errno !== 'number' || typeof syscall !== 'string' || typeof code !== 'string') return undefined
  if (NETWORK.test(code)) return undefined
  return code === 'ENOSPC' ? noSpace(path, statistics) : (REASONS[code] ?? message)
}
