import { statfs } from 'node:fs/promises'
import { AttuneError } from '@attune/core'

/** Source of the numbers of free bytes and inodes. */
type Statistics = (path: string) => Promise<{
  readonly bavail: number
  readonly bsize: number
  readonly files: number
  readonly ffree: number
}>

const NETWORK = /^(EAI_|ECONN|EHOST|ENET|ENOTFOUND|EPIPE|ETIMEDOUT|EADDR)/

const CAUSES: Readonly<Record<string, string>> = {
  EDQUOT: 'your disk quota is used up (EDQUOT)',
  EROFS: 'the file system is read-only (EROFS)',
  EACCES: 'permission is denied (EACCES)',
  EPERM: 'the operation is not permitted (EPERM)',
  ENAMETOOLONG: 'a name or path is longer than the file system allows (ENAMETOOLONG)',
  EMFILE: 'too many files are open in this process (EMFILE)',
  ENFILE: 'too many files are open in the system (ENFILE)',
  EISDIR: 'a folder is where a file belongs (EISDIR)',
  ERR_FS_EISDIR: 'a folder is where a file belongs (EISDIR)',
  ENOTDIR: 'a file is where a folder belongs (ENOTDIR)',
  EEXIST: 'a file is where a folder belongs (EEXIST)',
  ENOTEMPTY: 'a folder is where a file belongs (ENOTEMPTY)',
  EIO: 'the disk reports an input/output error (EIO)',
  EFBIG: 'the file is larger than the file system allows (EFBIG)',
  ELOOP: 'a link is where a file or folder belongs, or links lead in a circle (ELOOP)',
  ENOENT: 'a folder is missing (ENOENT)',
  ENXIO: 'a device or pipe is where a file belongs (ENXIO)',
}

/** True for an error of the file system: it has a number, a system call, and a code that is not one of networks. */
const isOfFileSystem = (error: unknown): error is NodeJS.ErrnoException & { readonly code: string } => {
  const { errno, syscall, code } = (error ?? {}) as NodeJS.ErrnoException
  return typeof errno === 'number' && typeof syscall === 'string' && typeof code === 'string' && !NETWORK.test(code)
}

async function noSpace(folder: string, statistics: Statistics): Promise<string> {
  const found = await statistics(folder).catch(() => undefined)
  if (found === undefined) return 'the disk is full (ENOSPC)'
  // File systems that allocate inodes on demand report a total of 0.
  if (found.files > 0 && found.ffree === 0) return 'the disk has no free inodes: it holds too many files (ENOSPC)'
  return `the disk is full: ${found.bavail * found.bsize} bytes are free (ENOSPC)`
}

/**
 * Returns the `CANNOT_WRITE` error for a failed operation on the files of a folder, with the cause in words. Anything but an
 * error of the file system is returned unchanged.
 * @param statistics source of free bytes and inodes; default `statfs`
 */
export async function writeFault(error: unknown, folder: string, statistics: Statistics = statfs): Promise<unknown> {
  if (!isOfFileSystem(error)) return error
  const { code } = error
  const { dest: path = error.path } = error as { readonly dest?: string }
  const cause = code === 'ENOSPC' ? await noSpace(folder, statistics) : (CAUSES[code] ?? error.message)
  return new AttuneError(
    'CANNOT_WRITE',
    `the cache ${folder} cannot be used: ${cause}${path === undefined || path === folder ? '' : `, at ${path}`}`,
    /^E[MN]FILE$/.test(code)
      ? 'Allow more open files, ulimit -n 4096, and repeat the command. What came already is kept.'
      : 'Fix that, or choose another folder: HF_HUB_CACHE=FOLDER. What came already is kept.',
    { cause: error },
  )
}
