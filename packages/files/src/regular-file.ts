import { type Stats, closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'

const kindOf = (stats: Stats): string =>
  stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device'

const requireRegular = (stats: Stats): void => {
  if (!stats.isFile()) throw new Error(`it is ${kindOf(stats)}, not a file`)
}

/**
 * Refuses a folder, pipe, socket or device without opening it: opening a pipe waits for its writer, and opening a device may act.
 * @throws Error with the kind that it is; the file system's error, such as `ENOENT`, where there is nothing
 */
export const requireRegularFile = (path: string): void => requireRegular(statSync(path))

/**
 * Opens a regular file for reading.
 * @returns its descriptor
 * @throws Error as {@link requireRegularFile}, and the file system's error where it may not be read
 */
export function openRegularFile(path: string): number {
  requireRegularFile(path)
  // Should a pipe have taken its place since, opening it does not wait for a writer.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    requireRegular(fstatSync(file))
    return file
  } catch (error) {
    closeSync(file)
    throw error
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EMFILE: 'Raise the limit of open files: ulimit -n 4096',
  ENFILE: 'End other programs: the system has too many files open.',
  EIO: 'Check the disk: the system log tells what failed.',
  ENAMETOOLONG: 'Shorten the path.',
}

/**
 * Remedy of an error met when a file is read, where the file itself is not at fault.
 * @param otherwise the remedy of any other error
 */
export const readRemedy = (cause: unknown, otherwise: string): string =>
  REMEDIES[String((cause as NodeJS.ErrnoException).code)] ?? otherwise
