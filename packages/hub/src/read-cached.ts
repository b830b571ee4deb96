import { type FileHandle, constants, lstat, open, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { absent } from './absent.js'

/** Flags that reject links and do not wait for the writer of a named pipe. Windows has neither. */
export const PLAIN_FILE = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** True if a path is inside a folder; both must be free of links. The root of a drive ends with a separator. */
export const isInside = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/** Real path of a file in the cache, or undefined if it does not exist or is a link out of the cache. */
export async function realpathWithin(root: string, path: string): Promise<string | undefined> {
  const [real, base] = await Promise.all([realpath(path).catch(absent), realpath(root).catch(absent)])
  return real !== undefined && base !== undefined && isInside(real, base) ? real : undefined
}

/** Size of a file in the cache, following links inside the cache; undefined for anything but a plain file. */
export async function sizeWithin(root: string, path: string): Promise<number | undefined> {
  const real = await realpathWithin(root, path)
  const found = real === undefined ? undefined : await lstat(real).catch(absent)
  return found?.isFile() === true ? found.size : undefined
}

async function readWhole(file: FileHandle, maximumBytes: number): Promise<string | undefined> {
  const { size } = await file.stat()
  if (size > maximumBytes) return undefined
  const buffer = Buffer.alloc(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await file.read(buffer, filled, size - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.toString('utf8', 0, filled)
}

/**
 * Reads a small text file of the cache, which is untrusted. Returns undefined for anything but a plain file inside
 * the cache of at most `maximumBytes` bytes.
 */
export async function readCached(root: string, path: string, maximumBytes: number): Promise<string | undefined> {
  if ((await sizeWithin(root, path)) === undefined) return undefined
  const real = await realpathWithin(root, path)
  const file = real === undefined ? undefined : await open(real, constants.O_RDONLY | PLAIN_FILE).catch(absent)
  if (file === undefined) return undefined
  try {
    return await readWhole(file, maximumBytes)
  } finally {
    await file.close()
  }
}
