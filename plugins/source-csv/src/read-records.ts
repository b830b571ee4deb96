import type { Budget } from '@attune/core'
import { type Line, readLines } from '@attune/data/files'

/** One record and its lines, with its fields or the reason why it cannot be read. */
export type CsvRecord = { readonly lines: readonly Line[] } & (
  { readonly fields: readonly string[] } | { readonly reason: string }
)

/** Number of characters that are parsed at a time. */
const WINDOW = 2 ** 16
/** Maximum length of a record, in characters. */
const MAXIMUM_RECORD = 2 ** 24

const OPENING = 'expected no quote inside an unquoted field'
const CLOSING = 'expected a delimiter or the end of the row after a closing quote'
const UNCLOSED = 'expected a closing quote'

/** Position in lines: a line, and a character in it. */
interface Cursor {
  line: number
  at: number
}

/** Reads a quoted field, whose opening quote is at the cursor. Returns undefined if the lines end before the field does. */
function quotedField(lines: readonly Line[], cursor: Cursor): string | undefined {
  let value = ''
  for (cursor.at++; ;) {
    const { text, ending } = lines[cursor.line]!
    const quote = text.indexOf('"', cursor.at)
    if (quote < 0) {
      value += text.slice(cursor.at) + ending
      if (++cursor.line === lines.length) return undefined
      cursor.at = 0
      continue
    }
    value += text.slice(cursor.at, quote)
    cursor.at = quote + 1
    if (text[cursor.at] !== '"') return value
    value += '"'
    cursor.at++
  }
}

/** The fields of a record and the index of the line after it, or the reason why it cannot be read. */
type Read = { readonly fields: string[]; readonly next: number } | { readonly reason: string }

/** Reads the record that starts at a line: RFC 4180, section 2, where a field is quoted as a whole or not at all. */
function readRecord(lines: readonly Line[], first: number, delimiter: string): Read {
  const fields: string[] = []
  const cursor: Cursor = { line: first, at: 0 }
  for (; ; cursor.at++) {
    if (lines[cursor.line]!.text[cursor.at] === '"') {
      const value = quotedField(lines, cursor)
      if (value === undefined) return { reason: UNCLOSED }
      const after = lines[cursor.line]!.text[cursor.at]
      if (after !== undefined && after !== delimiter) return { reason: CLOSING }
      fields.push(value)
    } else {
      const { text } = lines[cursor.line]!
      const found = text.indexOf(delimiter, cursor.at)
      const value = text.slice(cursor.at, found < 0 ? undefined : found)
      if (value.includes('"')) return { reason: OPENING }
      fields.push(value)
      cursor.at += value.length
    }
    if (cursor.at === lines[cursor.line]!.text.length) return { fields, next: cursor.line + 1 }
  }
}

const sizeOf = (lines: readonly Line[]): number => lines.reduce((size, { text }) => size + text.length + 1, 0)

/**
 * Parses lines into records; `open` holds the lines of an unfinished record at their end. Of a malformed record only the first line is
 * rejected, so a stray quote costs one row and not all rows up to the next quote. No line is read more than three times: a quote
 * opened in one line is closed by the next line with an odd number of quotes.
 */
function parseLines(lines: readonly Line[], delimiter: string, atEnd: boolean): { done: CsvRecord[]; open: Line[] } {
  const done: CsvRecord[] = []
  for (let at = 0; at < lines.length;) {
    if (lines[at]!.text === '') {
      at++
      continue
    }
    const record = readRecord(lines, at, delimiter)
    if ('fields' in record) {
      done.push({ lines: lines.slice(at, record.next), fields: record.fields })
      at = record.next
      continue
    }
    if (record.reason === UNCLOSED && !atEnd) {
      const open = lines.slice(at)
      if (sizeOf(open) <= MAXIMUM_RECORD) return { done, open }
    }
    done.push({ lines: [lines[at]!], reason: record.reason })
    at++
  }
  return { done, open: [] }
}

/**
 * Reads the records of a delimited file, in constant memory. Empty lines between records are skipped.
 * @param budget counts the work, as in `readLines`
 */
export async function* readRecords(
  path: string,
  delimiter: string,
  budget: Budget,
): AsyncGenerator<readonly CsvRecord[], void> {
  let waiting: Line[] = []
  let size = 0
  // An open record is parsed again only when it has doubled in size, so the total time is linear.
  let due = WINDOW
  for await (const lines of readLines(path, { budget }))
    for (const line of lines) {
      waiting.push(line)
      size += line.text.length + 1
      if (size < due) continue
      const { done, open } = parseLines(waiting, delimiter, false)
      waiting = open
      size = sizeOf(open)
      due = Math.max(WINDOW, 2 * size)
      yield done
    }
  yield parseLines(waiting, delimiter, true).done
}
