import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** A file that is only ever added to, line by line. */
export interface LineFile {
  /** Writes one line, in one call to the operating system. @throws whatever the file system reports. */
  append(line: string): void
  close(): void
}

const NEWLINE = '\n'.charCodeAt(0)

/** Opens a file, with its folder, for adding whole lines: where it ends in half a line, that line is ended first. */
function openAtLineStart(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'a+')
  try {
    const { size } = fstatSync(file)
    const last = Buffer.alloc(1)
    if (size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE) writeSync(file, '\n')
    return file
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/**
 * A file to add lines to. It is opened with the first line. After a failed or short write it is opened anew with the
 * next line, so that what a full disk cut off never runs into what comes later.
 */
export function appendLines(path: string): LineFile {
  let file: number | undefined
  const close = (): void => {
    const open = file
    file = undefined
    if (open !== undefined) closeSync(open)
  }
  return {
    append(line) {
      file ??= openAtLineStart(path)
      const bytes = Buffer.from(`${line}\n`)
      try {
        const written = writeSync(file, bytes)
        if (written < bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes could be written`)
      } catch (error) {
        close()
        throw error
      }
    },
    close,
  }
}
