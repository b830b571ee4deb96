import { isAscii, isUtf8 } from 'node:buffer'
import { AttuneError, type Budget, createBudget } from '@attune/core'
import { readBytes } from './read-bytes.js'
import { requireWhole } from '../require-whole.js'

/** One line of a text file. */
export interface Line {
  /** Counted from 1, as an editor does. */
  readonly number: number
  readonly text: string
  /** What ended the line; empty if the file ended first. */
  readonly ending: '\n' | '\r\n' | ''
}

const NEWLINE = 10
/** Steps that a line costs besides its bytes: objects are made of it, here and by whoever reads it. */
const STEPS_PER_LINE = 150
const CARRIAGE_RETURN = 13

const tooLong = (path: string, line: number, maximumLineBytes: number): AttuneError =>
  new AttuneError(
    'LINE_TOO_LONG',
    `a line must have at most ${maximumLineBytes} bytes, and one is longer (${path}:${line})`,
    `Does each row stand on a line of its own? See how the file begins: head -c 300 ${path}`,
  )

const notUtf8 = (path: string, line: number): AttuneError =>
  new AttuneError(
    'NOT_UTF8',
    `text must be UTF-8, and a line is not (${path}:${line})`,
    `Find out what it is with \`file ${path}\`, then convert it, from Latin-1 say: iconv -f LATIN1 -t UTF-8 ${path}`,
  )

const tooCostly =
  (path: string) =>
  (why: string): AttuneError =>
    new AttuneError(
      'INPUT_TOO_COSTLY',
      `${path} decompresses to far more than a data file would: ${why}`,
      `If the file is meant to be so, decompress it first: gunzip --keep ${path}`,
    )

/** Budget of {@link readLines} for a file, to be shared with what is made of its lines. Throws `INPUT_TOO_COSTLY`. */
export const lineBudget = (path: string): Budget => createBudget(0, tooCostly(path))

/** Bytes that are whole lines, and the encoding that decodes them fastest. */
interface Block {
  readonly bytes: Buffer
  readonly encoding: 'latin1' | 'utf8'
}

/** The line whose bytes are those of a block from `start` to `end`, its ending left out. */
function toLine({ bytes, encoding }: Block, start: number, end: number, number: number, terminated: boolean): Line {
  const returned = terminated && end > start && bytes[end - 1] === CARRIAGE_RETURN
  // Decoding line by line is several times faster than decoding the block: a line of ASCII is merely copied.
  const text = bytes.toString(encoding, start, returned ? end - 1 : end)
  return {
    number,
    text: number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text,
    ending: returned ? '\r\n' : terminated ? '\n' : '',
  }
}

/** The lines in bytes of whole lines, of which the first has the number `firstLine`. */
function toLines(path: string, bytes: Buffer, firstLine: number, maximumLineBytes: number): Line[] {
  const ascii = isAscii(bytes)
  const valid = ascii || isUtf8(bytes)
  const block: Block = { bytes, encoding: ascii ? 'latin1' : 'utf8' }
  const lines: Line[] = []
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline
    const number = firstLine + lines.length
    if (!valid && !isUtf8(bytes.subarray(start, end))) throw notUtf8(path, number)
    const line = toLine(block, start, end, number, newline >= 0)
    if (end - start - (line.ending === '\r\n' ? 1 : 0) > maximumLineBytes) throw tooLong(path, number, maximumLineBytes)
    lines.push(line)
    start = end + 1
  }
  return lines
}

/** Options of {@link readLines}. */
export interface ReadLinesOptions {
  /** Longest line that is read, without its ending. Default: 16 MiB. */
  readonly maximumLineBytes?: number
  /** Counts the work; is allowed the bytes of the file as they are read. Default: {@link lineBudget}. */
  readonly budget?: Budget
}

/**
 * Reads the lines of a UTF-8 text file, decompressed if its name ends in `.gz`, in constant memory. A byte order mark at
 * the start is left out. Lines come in arrays, as many as were read at once, since each wait costs as much as several
 * lines.
 * @throws AttuneError `FILE_NOT_FOUND` with the near misses; `FILE_NOT_READABLE`; `BAD_GZIP`, also when cut short;
 *   `NOT_UTF8` and `LINE_TOO_LONG` with the number of the line; `INPUT_TOO_COSTLY` for a file of some 200 times its size or
 *   more, decompressed; `BAD_ARGUMENT`.
 */
export async function* readLines(
  path: string,
  { maximumLineBytes = 2 ** 24, budget = lineBudget(path) }: ReadLinesOptions = {},
): AsyncGenerator<readonly Line[], void> {
  requireWhole('readLines', 'maximumLineBytes', maximumLineBytes, 1)
  let next = 1
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of readBytes(path, budget)) {
    const end = chunk.lastIndexOf(NEWLINE) + 1
    if (end > 0) {
      const lines = toLines(path, Buffer.concat([...pending, chunk.subarray(0, end)]), next, maximumLineBytes)
      budget.spend(STEPS_PER_LINE * lines.length)
      next += lines.length
      pending = []
      pendingBytes = 0
      yield lines
    }
    pending.push(chunk.subarray(end))
    pendingBytes += chunk.length - end
    // A carriage return at the end may yet turn out to be half of the line's ending.
    if (pendingBytes > maximumLineBytes + 1) throw tooLong(path, next, maximumLineBytes)
  }
  if (pendingBytes > 0) yield toLines(path, Buffer.concat(pending), next, maximumLineBytes)
}
