import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** An append-only file of lines. */
export interface LineFile {
  /** Writes one line in one system call. @throws any error of the file system. */
  append(line: string): void
  close(): void
}

const NEWLINE = '\n'.charCodeAt(0)

/** Opens a file for appending lines, and creates its folder; a partial line at its end is terminated first. */
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
 * A file to append lines to. It is opened with the first line. After a failed or short write it is opened again with the next line, so
 * a line truncated by a full disk stays separate from later ones.
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
        if (written < bytes.length) throw new Error(`wrote only ${written} of ${bytes.length} bytes`)
      } catch (error) {
        close()
        throw error
      }
    },
    close,
  }
}
