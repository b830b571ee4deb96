import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/**
 * Makes a folder and those that it is in, as far as they are missing. Node's own recursive `mkdir` reports every failure as
 * `ENOENT`, also that of a full or a read-only disk.
 * @throws the error of the file system, with its true code
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    if (!isFolder(path)) throw error // else another process was quicker
  }
}
