import { type Line, readLines } from '@attune/data'
import { type CsvError, parse } from 'csv-parse/sync'

/** One record and the lines it stands on: its fields, or why it cannot be read. */
export type CsvRecord = { readonly lines: readonly Line[] } & (
  { readonly fields: readonly string[] } | { readonly reason: string }
)

/** How much is parsed at once, in characters: little, so that starting anew behind a bad row costs little. */
const WINDOW = 2 ** 13
/** Longest record, in characters. */
const LONGEST = 2 ** 24

const REASONS: Readonly<Record<string, string>> = {
  INVALID_OPENING_QUOTE: 'a quote must not stand inside an unquoted field',
  CSV_INVALID_CLOSING_QUOTE: 'a closing quote must be followed by a delimiter or the end of the row',
  CSV_QUOTE_NOT_CLOSED: 'a quoted field must be closed',
}

const sizeOf = (lines: readonly Line[]): number => lines.reduce((size, line) => size + line.text.length + 1, 0)

/** The text of lines as it stands in the file. */
const textOf = (lines: readonly Line[]): string => lines.map(({ text, ending }) => text + ending).join('')

const quotesIn = (text: string): number => text.split('"').length - 1

/** Groups lines into records: as many lines as it takes for the quotes to be even. The last may lack its end. */
function groupLines(lines: readonly Line[]): Line[][] {
  const groups: Line[][] = []
  let open = false
  for (const line of lines) {
    if (open) groups.at(-1)!.push(line)
    else if (line.text === '') continue
    else groups.push([line])
    if (quotesIn(line.text) % 2 === 1) open = !open
  }
  return groups
}

/** The records before the first that cannot be read, and what is wrong with that one. */
function parseText(text: string, delimiter: string): { records: string[][]; error?: CsvError } {
  const records: string[][] = []
  try {
    parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      on_record: (record: string[]) => void records.push(record),
    })
    return { records }
  } catch (error) {
    return { records, error: error as CsvError }
  }
}

/**
 * Parses lines into records; `open` is the record at their end that lacks its own end. Of a record that cannot be read
 * only the first line is given up and parsing starts anew on the next, so that a stray quote costs one row and not all
 * rows up to the next quote.
 */
function parseLines(lines: readonly Line[], delimiter: string, atEnd: boolean): { done: CsvRecord[]; open: Line[] } {
  const done: CsvRecord[] = []
  for (let rest = lines; ;) {
    const groups = groupLines(rest)
    const { records, error } = parseText(textOf(groups.flat()), delimiter)
    records.forEach((fields, i) => done.push({ lines: groups[i]!, fields }))
    if (error === undefined) return { done, open: [] }
    const unread = groups.slice(records.length).flat()
    if (error.code === 'CSV_QUOTE_NOT_CLOSED' && !atEnd && sizeOf(unread) <= LONGEST) return { done, open: unread }
    done.push({ lines: unread.slice(0, 1), reason: REASONS[error.code] ?? error.message })
    rest = unread.slice(1)
  }
}

/** Reads the records of a delimited file, in constant memory. Empty lines between records are passed over. */
export async function* readRecords(path: string, delimiter: string): AsyncGenerator<readonly CsvRecord[], void> {
  let waiting: Line[] = []
  let size = 0
  // An open record is parsed again only when as much again has come, so that the whole takes linear time.
  let due = WINDOW
  for await (const lines of readLines(path))
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
