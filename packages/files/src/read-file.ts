import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/**
 * Reads a whole file of bounded size. A pipe or device in its place is refused; opening one without `O_NONBLOCK` could wait for
 * ever.
 * @returns undefined if there is no such file
 * @throws Error with what is wrong: it is not a file, is too large, or cannot be read
 */
export function readWholeFile(path: string, maximumBytes: number): Buffer | undefined {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
    throw error
  }
  try {
    const found = fstatSync(file)
    if (!found.isFile()) throw new Error('it is not a file')
    if (found.size > maximumBytes) throw new Error(`it has ${found.size} bytes; ${maximumBytes} are allowed`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}
