import { closeSync, fstatSync, readSync } from 'node:fs'
import { openRegularFile } from './regular-file.js'

/** Bytes per read call. `readFileSync` rejects files over 2 GiB, but checkpoints may be larger. */
const MAXIMUM_CHUNK = 2 ** 30

function readUpTo(file: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let at = 0
  for (let read = -1; at < size && read !== 0; at += read)
    read = readSync(file, bytes, at, Math.min(MAXIMUM_CHUNK, size - at), at)
  return bytes.subarray(0, at)
}

/**
 * Reads a whole file of bounded size. Rejects pipes and devices, which could block forever.
 * @returns undefined if there is no such file
 * @throws Error with the reason: not a regular file, too large, or not readable
 */
export function readWholeFile(path: string, maximumBytes: number): Buffer | undefined {
  let file: number
  try {
    file = openRegularFile(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
    throw error
  }
  try {
    const { size } = fstatSync(file)
    if (size > maximumBytes) throw new Error(`it has ${size} bytes, more than the limit of ${maximumBytes}`)
    return readUpTo(file, size)
  } finally {
    closeSync(file)
  }
}
