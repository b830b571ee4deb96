import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'
import { AttuneError, type Rejected } from '@attune/core'

/** A log of rejected rows. */
export interface RejectedRows {
  /** Records a row; the argument of `source.open(reject)`. A line that was already rejected in an earlier pass is ignored. */
  reject(row: Rejected): void
  /** Returns the number of rejected lines. */
  count(): number
  /** Returns the file; undefined until a row is rejected. */
  path(): string | undefined
}

/** Maximum number of recorded rows. A record of a short row is up to 60 times larger than the row. */
const MAXIMUM_RECORDED = 100_000

const numbered = (path: string, number: number): string => {
  const { dir, name, ext } = parse(path)
  return number === 1 ? path : join(dir, `${name}.${number}${ext}`)
}

/** Creates the first file of `rejects.jsonl`, `rejects.2.jsonl`, … that does not exist. */
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

/** Number of lines per block of the bit set. */
const BLOCK = 2 ** 15

/** A set of line numbers, with about one bit per line of the file. */
function lineSet() {
  const blocks = new Map<number, Uint8Array>()
  let size = 0
  return {
    size: () => size,
    /** Adds a line. Returns true if it was not in the set. */
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

/** Returns a function that appends to a file. The file stays open until the end of the current synchronous work. */
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
 * Records the rejected rows of one source in a JSON Lines file, as `{ line, reason, raw }`: the first 100,000, others are only
 * counted. The file is created when the first row is rejected. An existing file, from another or an interrupted run, is never
 * touched: the rows then go to `<name>.2<extension>`, `<name>.3<extension>`, … in the same folder; see
 * {@link RejectedRows.path}.
 * @throws AttuneError (from `reject`) `REJECTS_NOT_WRITTEN` if the file cannot be created or written.
 */
export function rejectedRowsTo(path: string): RejectedRows {
  const lines = lineSet()
  let file: string | undefined
  let append: ((text: string) => void) | undefined
  const record = (row: Rejected): void => {
    try {
      file ??= createNew(path)
      append ??= appender(file)
      append(`${JSON.stringify(row)}\n`)
    } catch (cause) {
      throw new AttuneError(
        'REJECTS_NOT_WRITTEN',
        `cannot write rejected rows to "${file ?? path}": ${(cause as Error).message}`,
        'Free disk space or choose a writable folder, then start again.',
        { cause },
      )
    }
  }
  return {
    reject({ line, reason, raw }) {
      if (!lines.add(line)) return
      if (lines.size() <= MAXIMUM_RECORDED) record({ line, reason, raw })
      else if (lines.size() === MAXIMUM_RECORDED + 1)
        record({ line, reason: `limit of ${MAXIMUM_RECORDED} rows reached: further rows are only counted`, raw: '' })
    },
    count: () => lines.size(),
    path: () => file,
  }
}
