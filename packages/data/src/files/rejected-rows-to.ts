import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'
import { AttuneError, type Rejected } from '@attune/core'

/** A file that rejected rows are kept in. */
export interface RejectedRows {
  /** Keeps a row; for `source.open(reject)`. One whose line was rejected before, in an earlier pass, is not kept again. */
  reject(row: Rejected): void
  /** How many lines were rejected. */
  count(): number
  /** The file that was written; nothing as long as no row was rejected. */
  path(): string | undefined
}

/** Rows that a file keeps. Short rows take 60 times their size there, and more than this nobody reads. */
const MOST_KEPT = 100_000

const numbered = (path: string, number: number): string => {
  const { dir, name, ext } = parse(path)
  return number === 1 ? path : join(dir, `${name}.${number}${ext}`)
}

/** Makes a new file, the first of `rejects.jsonl`, `rejects.2.jsonl`, … that does not exist. */
function createNew(path: string): string {
  mkdirSync(dirname(path), { recursive: true })
  for (let number = 1; ; number++)
    try {
      closeSync(openSync(numbered(path, number), 'wx'))
      return numbered(path, number)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
}

/** Lines that are in a block of the set, each a bit. */
const BLOCK = 2 ** 15

/** A set of line numbers, of about a bit for each line of the file. */
function lineSet() {
  const blocks = new Map<number, Uint8Array>()
  let size = 0
  return {
    size: () => size,
    /** Returns true if the line was not in the set. */
    add(line: number): boolean {
      const number = Math.floor(line / BLOCK)
      const block = blocks.get(number) ?? new Uint8Array(BLOCK / 8)
      blocks.set(number, block)
      const [at, bit] = [(line % BLOCK) >> 3, 1 << (line & 7)]
      if ((block[at]! & bit) !== 0) return false
      block[at]! |= bit
      size++
      return true
    },
  }
}

/** Appends to a file, which stays open for what is appended before the program waits for anything. */
function appender(file: string): (text: string) => void {
  let open: number | undefined
  return (text) => {
    if (open === undefined) {
      const opened = (open = openSync(file, 'a'))
      queueMicrotask(() => {
        open = undefined
        closeSync(opened)
      })
    }
    writeSync(open, text)
  }
}

/**
 * Keeps the rejected rows of one source in a JSON Lines file, `{ line, reason, raw }` a row: the first 100,000, others are only
 * counted. The file is made when the first row is rejected. One that exists already, from another run or from before this
 * one was interrupted, is left alone: the rows then go to `<name>.2<extension>`, `<name>.3<extension>`, … beside it, which
 * {@link RejectedRows.path} tells.
 * @throws AttuneError (from `reject`) `REJECTS_NOT_WRITTEN` if the file cannot be made or written.
 */
export function rejectedRowsTo(path: string): RejectedRows {
  const lines = lineSet()
  let file: string | undefined
  let append: ((text: string) => void) | undefined
  const keep = (row: Rejected): void => {
    try {
      file ??= createNew(path)
      append ??= appender(file)
      append(`${JSON.stringify(row)}\n`)
    } catch (cause) {
      throw new AttuneError(
        'REJECTS_NOT_WRITTEN',
        `rejected rows must be kept, and "${file ?? path}" cannot be written: ${(cause as Error).message}`,
        'Free the disk or name a folder that may be written to, then start again.',
        { cause },
      )
    }
  }
  return {
    reject({ line, reason, raw }) {
      if (!lines.add(line)) return
      if (lines.size() <= MOST_KEPT) keep({ line, reason, raw })
      else if (lines.size() === MOST_KEPT + 1)
        keep({ line, reason: `further rows are only counted, from this one on: ${MOST_KEPT} are kept`, raw: '' })
    },
    count: () => lines.size(),
    path: () => file,
  }
}
