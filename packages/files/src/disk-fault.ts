import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

/** Numbers of free bytes and inodes of the file system that a path is on. */
export type Statistics = (path: string) => {
  readonly bavail: number
  readonly bsize: number
  readonly files: number
  readonly ffree: number
}

/** Codes of network errors, which have a number and a system call like those of files. */
const NETWORK = /^(EAI_|ECONN|EHOST|ENET|ENOTFOUND|EPIPE|ETIMEDOUT|EADDR)/

const REASONS: Readonly<Record<string, string>> = {
  EDQUOT: 'the disk quota of this user is used up',
  EROFS: 'the file system is mounted read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  ENAMETOOLONG: 'a name in it is longer than the file system allows',
  EMFILE: 'too many files are open in this process',
  ENFILE: 'too many files are open in the system',
  EISDIR: 'a folder is where a file belongs',
  ERR_FS_EISDIR: 'a folder is where a file belongs',
  ENOTDIR: 'a file is where a folder belongs',
  EEXIST: 'a file is where a folder belongs',
  ENOTEMPTY: 'a folder is where a file belongs',
  EIO: 'the disk reports an input/output error',
  EFBIG: 'the file is larger than the file system or a limit of the process allows',
  ELOOP: 'links lead in a circle',
  ENOENT: 'a folder is missing',
  ENXIO: 'a device or pipe is where a file belongs',
}

/** Nearest folder on the way to a path that exists. */
const existing = (path: string): string => {
  const parent = dirname(path)
  return existsSync(path) || parent === path ? path : existing(parent)
}

function noSpace(path: string, statistics: Statistics): string {
  try {
    const { bavail, bsize, files, ffree } = statistics(existing(path))
    // File systems that allocate inodes on demand report a total of 0.
    return files > 0 && ffree === 0
      ? 'the disk has no free inodes: it holds as many files as it can'
      : `the disk is full: ${bavail * bsize} bytes are free`
  } catch {
    return 'the disk is full'
  }
}

/**
 * The cause of an error of the file system, in words: a full disk, no free inodes, a read-only file system, missing rights, a quota.
 * @param path what could not be written
 * @param statistics source of free bytes and inodes; default `statfsSync`
 * @returns undefined if it is not an error of the file system
 */
export function diskFault(error: unknown, path: string, statistics: Statistics = statfsSync): string | undefined {
  const { errno, syscall, code, message } = (error ?? {}) as NodeJS.ErrnoException
  if (typeof errno !== 'number' || typeof syscall !== 'string' || typeof code !== 'string') return undefined
  if (NETWORK.test(code)) return undefined
  return code === 'ENOSPC' ? noSpace(path, statistics) : (REASONS[code] ?? message)
}
