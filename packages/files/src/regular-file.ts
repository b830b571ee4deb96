import { type Stats, closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'

const kindOf = (stats: Stats): string =>
  stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a pipe' : stats.isSocket() ? 'a socket' : 'a device'

const requireRegular = (stats: Stats): void => {
  if (!stats.isFile()) throw new Error(`it is ${kindOf(stats)}, not a file`)
}

/**
 * Rejects a folder, pipe, socket or device without opening it: opening a pipe waits for its writer, and opening a device may have
 * side effects.
 * @throws Error that names the kind; the file system error, such as `ENOENT`, for a missing file
 */
export const requireRegularFile = (path: string): void => requireRegular(statSync(path))

/**
 * Opens a regular file for reading.
 * @returns the file descriptor
 * @throws Error like {@link requireRegularFile}, and the file system error without read permission
 */
export function openRegularFile(path: string): number {
  requireRegularFile(path)
  // If a pipe has replaced the file since, opening it does not wait for a writer.
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
  ENFILE: 'Close other programs: the system has too many open files.',
  EIO: 'Check the disk: the system log has the failure.',
  ENAMETOOLONG: 'Shorten the path.',
}

/**
 * Returns the remedy for a read error that is not the fault of the file itself.
 * @param otherwise the remedy for other errors
 */
export const readRemedy = (cause: unknown, otherwise: string): string =>
  REMEDIES[String((cause as NodeJS.ErrnoException).code)] ?? otherwise
