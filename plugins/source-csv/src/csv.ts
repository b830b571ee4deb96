import { AttuneError, type Budget, SOURCE, definePlugin, excerpt } from '@attune/core'
import { type Row, fileOptions, fileSource, lineBudget, requireFile } from '@attune/data/files'
import { z } from 'zod'
import { type CsvRecord, readRecords } from './read-records.js'

/** First name that occurs a second time. */
function repeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  return names.find((name) => seen.size === seen.add(name).size)
}

function headerOf(path: string, record: CsvRecord): readonly string[] {
  const fault =
    'reason' in record
      ? record.reason
      : repeated(record.fields) === undefined
        ? undefined
        : `expected each column name once in the header, got ${excerpt(repeated(record.fields))} twice`
  if (fault === undefined && 'fields' in record) return record.fields
  throw new AttuneError(
    'BAD_HEADER',
    `${fault} (${path}:${record.lines[0]?.number})`,
    'Fix the header, or name the columns if the file has none: `columns: [text, label]`.',
  )
}

/** Other usual delimiters. */
const DELIMITERS = [';', '\t', '|']

/** @throws AttuneError `BAD_HEADER` for a header of one column that contains another usual delimiter */
function requireDelimited(path: string, delimiter: string, names: readonly string[]): void {
  const other = DELIMITERS.find((each) => each !== delimiter && names.length === 1 && names[0]!.includes(each))
  if (other === undefined) return
  const option = `delimiter: ${JSON.stringify(other)}`
  throw new AttuneError(
    'BAD_HEADER',
    `expected columns separated by ${JSON.stringify(delimiter)}, got one column ${excerpt(names[0])} (${path}:1)`,
    `Set \`${option}\`. If it is one column, name it: \`columns: [text]\`, and remove the header.`,
  )
}

/** Cost of a rejected row, in steps of the budget. */
const STEPS_PER_REJECT = 100

function toRow(columns: readonly string[], record: CsvRecord, budget: Budget): Row {
  const { lines } = record
  const location = { line: lines[0]!.number, raw: lines.map(({ text }) => text).join('\n') }
  const reject = (reason: string): Row => {
    budget.spend(STEPS_PER_REJECT)
    return { ...location, reason }
  }
  if ('reason' in record) return reject(record.reason)
  if (record.fields.length !== columns.length)
    return reject(`expected ${columns.length} columns, got ${record.fields.length}`)
  return { ...location, example: Object.fromEntries(columns.map((name, i) => [name, record.fields[i]])) }
}

async function* rows(
  path: string,
  delimiter: string,
  columns: readonly string[] | undefined,
): AsyncGenerator<readonly Row[], void> {
  requireFile(path)
  let names = columns
  const budget = lineBudget(path)
  for await (const records of readRecords(path, delimiter, budget)) {
    const [first, ...others] = records
    if (first === undefined) continue
    const data = names === undefined ? others : records
    if (names === undefined) requireDelimited(path, delimiter, (names = headerOf(path, first)))
    const known = names
    yield data.map((record) => toRow(known, record, budget))
  }
}

/**
 * A dataset in a file of delimiter-separated values, in UTF-8, gzipped if its name ends in `.gz`. All fields are strings.
 *
 * A field that contains a delimiter, a quote or a line break is in double quotes, and a quote within it is doubled. Rows have as many
 * fields as there are columns. Lines end in LF or CRLF; empty ones between rows are skipped. A stray quote rejects only its own line.
 * Tab-separated files in which quotes are ordinary characters are another format.
 */
export const csv = definePlugin({
  kind: SOURCE,
  name: 'csv',
  summary: 'Reads a CSV or TSV file, optionally gzipped, with one record per row',
  source: 'Shafranovich, RFC 4180, Common Format and MIME Type for Comma-Separated Values Files, 2005',
  options: z.strictObject({
    ...fileOptions('cannot be read'),
    delimiter: z
      .string()
      .regex(/^[^"\r\n]$/, 'expected one character, not a quote or a line break')
      .default(',')
      .describe('Field delimiter: one character, "\\t" for tab-separated values'),
    columns: z
      .array(z.string())
      .min(1)
      .refine((names) => repeated(names) === undefined, 'expected each column name once')
      .optional()
      .describe('Column names of a file without a header. Default: the first row has the names'),
  }),
  create: ({ path, onBadRow, delimiter, columns }) =>
    fileSource({
      path,
      onBadRow,
      namedBy: columns === undefined ? 'the header' : '`columns`',
      rows: () => rows(path, delimiter, columns),
    }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'source csv': typeof csv
  }
}

export default csv
