import { isAscii, isUtf8 } from 'node:buffer'
import { AttuneError, type Budget, createBudget } from '@attune/core'
import { readBytes } from './read-bytes.js'
import { requireInteger } from '../require-integer.js'

/** One line of a text file. */
export interface Line {
  /** Line number, from 1. */
  readonly number: number
  readonly text: string
  /** The line ending; empty at the end of the file. */
  readonly ending: '\n' | '\r\n' | ''
}

const NEWLINE = 10
/** Steps per line in addition to its bytes, for the objects created from it, here and by the caller. */
const STEPS_PER_LINE = 150
const CARRIAGE_RETURN = 13

const tooLong = (path: string, line: number, maximumLineBytes: number): AttuneError =>
  new AttuneError(
    'LINE_TOO_LONG',
    `expected at most ${maximumLineBytes} bytes in a line, got more (${path}:${line})`,
    `Put each row on a line of its own. Show the start of the file: head -c 300 ${path}`,
  )

const notUtf8 = (path: string, line: number): AttuneError =>
  new AttuneError(
    'NOT_UTF8',
    `expected UTF-8, got invalid bytes (${path}:${line})`,
    `Detect the encoding with \`file ${path}\`, then convert it, for example: iconv -f LATIN1 -t UTF-8 ${path}`,
  )

const tooCostly =
  (path: string) =>
  (why: string): AttuneError =>
    new AttuneError(
      'INPUT_TOO_COSTLY',
      `${path} has an implausible compression ratio: ${why}`,
      `If the file is genuine, decompress it first: gunzip --keep ${path}`,
    )

/** @throws AttuneError `BAD_LINE_ENDS` for a file of one line that contains carriage returns: its lines end in CR */
function requireLineEnds(path: string, [only]: readonly Line[]): void {
  if (only === undefined || !/\r[^\r]/.test(only.text)) return
  throw new AttuneError(
    'BAD_LINE_ENDS',
    `expected lines that end in LF or CRLF, got one line with carriage returns (CR) in it (${path})`,
    `Convert the line ends: tr '\\r' '\\n' < ${path} > converted`,
  )
}

/** Creates the budget of {@link readLines} for a file, to be shared with the parser of the lines. Throws `INPUT_TOO_COSTLY`. */
export const lineBudget = (path: string): Budget => createBudget(0, tooCostly(path))

/** Bytes of complete lines, and the encoding that decodes them fastest. */
interface Block {
  readonly bytes: Buffer
  readonly encoding: 'latin1' | 'utf8'
}

/** Decodes the line at `[start, end)` of a block, without its ending. */
function toLine({ bytes, encoding }: Block, start: number, end: number, number: number, terminated: boolean): Line {
  const isCrlf = terminated && end > start && bytes[end - 1] === CARRIAGE_RETURN
  // Decoding line by line is several times faster than decoding the block: an ASCII line is just copied.
  const text = bytes.toString(encoding, start, isCrlf ? end - 1 : end)
  return {
    number,
    text: number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text,
    ending: isCrlf ? '\r\n' : terminated ? '\n' : '',
  }
}

/** Splits the bytes of complete lines, numbered from `firstLine`. */
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
  /** Maximum line length without the ending. Default: 16 MiB. */
  readonly maximumLineBytes?: number
  /** Budget of the work; raised by the bytes read. Default: {@link lineBudget}. */
  readonly budget?: Budget
}

/**
 * Reads the lines of a UTF-8 text file in constant memory, decompressed if its name ends in `.gz`. A leading byte order mark is
 * removed. Lines are yielded in arrays, one per chunk read, because each `await` costs as much as several lines.
 * @throws AttuneError `FILE_NOT_FOUND` with similar names; `FILE_NOT_READABLE`; `BAD_GZIP`, also for truncated data;
 *   `BAD_LINE_ENDS` for line ends of CR alone; `NOT_UTF8` and `LINE_TOO_LONG` with the line number; `INPUT_TOO_COSTLY` for a file that decompresses to about 200 times its
 *   size or more; `BAD_ARGUMENT`.
 */
export async function* readLines(
  path: string,
  { maximumLineBytes = 2 ** 24, budget = lineBudget(path) }: ReadLinesOptions = {},
): AsyncGenerator<readonly Line[], void> {
  requireInteger('readLines', 'maximumLineBytes', maximumLineBytes, 1)
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
    // A trailing carriage return may be the first half of a CRLF ending.
    if (pendingBytes > maximumLineBytes + 1) throw tooLong(path, next, maximumLineBytes)
  }
  if (pendingBytes === 0) return
  const last = toLines(path, Buffer.concat(pending), next, maximumLineBytes)
  if (next === 1) requireLineEnds(path, last)
  yield last
}
