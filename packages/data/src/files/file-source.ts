import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import {
  AttuneError,
  type Example,
  type Rejected,
  type RowCheck,
  type Source,
  excerpt,
  nearest,
  shortened,
} from '@attune/core'
import { z } from 'zod'
import { fileError, requireFile } from './file-error.js'

/**
 * Returns the options of a source that reads a file.
 * @param predicate the predicate of an invalid row, such as `is not a JSON object`
 */
export const fileOptions = (predicate: string) => ({
  path: z
    .string()
    .min(1)
    .meta({ path: true })
    .describe('Path of the file; decompressed while reading if its name ends in `.gz`'),
  onBadRow: z
    .enum(['stop', 'skip'])
    .default('stop')
    .describe(`Stop at a row that ${predicate}, or skip such rows and record them in a rejects file`),
})

/** Result of parsing one row: an example with its line number and raw text, or the reason for rejecting it, and a remedy. */
export type Row =
  (Omit<Rejected, 'reason'> & { readonly example: Example }) | (Rejected & { readonly remedy?: string | undefined })

/** A file format, as {@link fileSource} needs it. */
export interface FileFormat {
  readonly path: string
  /** `stop` to throw at an invalid row, `skip` to pass it to `reject`. */
  readonly onBadRow: 'stop' | 'skip'
  /** The part of the file that names the fields of all rows, such as `the header`. Default: every row names its own. */
  readonly namedBy?: string
  /** Reads and parses the file from the start. Rows are yielded in arrays, one for each chunk read. */
  readonly rows: () => AsyncIterable<readonly Row[]>
}

const EXCERPT = 80
/** Maximum number of fields in a message. */
const SHOWN = 8

/** A rejected row; `error` creates the error that stops the reading there. */
interface Fault extends Rejected {
  error(): AttuneError
}

const CORRECT = 'Correct the row, or set `onBadRow: skip` to skip such rows and record them in a rejects file.'

const badRow = (path: string, { line, reason, raw }: Rejected, remedy = CORRECT): AttuneError =>
  new AttuneError('BAD_ROW', `${reason}, in ${JSON.stringify(shortened(raw, EXCERPT))} (${path}:${line})`, remedy)

const listed = (names: readonly string[]): string =>
  names
    .slice(0, SHOWN)
    .map((name) => excerpt(name))
    .join(', ') + (names.length > SHOWN ? ', …' : '')

/** Remedy for a field that does not exist, with the nearest ones. */
function remedyFor(field: string, names: readonly string[], otherwise: string): string {
  const near = nearest(field, names)
  if (near.length === 0) return otherwise
  return `Did you mean ${near.map((name) => excerpt(name)).join(' or ')}? Set the option that names the field, or rename it in the data.`
}

const noColumn = (path: string, reason: string, field: string, names: readonly string[]): AttuneError =>
  new AttuneError(
    'BAD_HEADER',
    `${reason} (${path})`,
    remedyFor(field, names, 'Add the column, or set the option that names the field to one of these.'),
  )

/** The fault of a row that lacks a required field; undefined for one that has them all. */
function missingIn(
  { example, line, raw }: Exclude<Row, Rejected>,
  fields: readonly string[],
  { path, namedBy }: FileFormat,
): Fault | undefined {
  const missing = fields.find((name) => !Object.hasOwn(example, name) || example[name] === null)
  if (missing === undefined) return undefined
  const names = Object.keys(example)
  if (namedBy !== undefined) {
    const reason = `expected the column ${excerpt(missing)} in ${namedBy}, got ${listed(names)}`
    return { line, raw, reason, error: () => noColumn(path, reason, missing, names) }
  }
  const near = Object.hasOwn(example, missing) ? [] : nearest(missing, names)
  const got = Object.hasOwn(example, missing) ? 'null' : `the fields ${listed(names)}`
  const found = near.length > 0 ? `; similar fields: ${listed(near)}` : `, got ${got}`
  const row = { line, raw, reason: `expected a value in field ${excerpt(missing)}${found}` }
  return { ...row, error: () => badRow(path, row, got === 'null' ? CORRECT : remedyFor(missing, names, CORRECT)) }
}

/** The fault of a parsed row according to the check of the reader. */
function faultIn({ example, line, raw }: Exclude<Row, Rejected>, check: RowCheck): Fault | undefined {
  const error = check(example, line)
  return error && { line, raw, reason: error.problem, error: () => error }
}

/** SHA-256 of the bytes on disk, without decompression. */
async function digestOf(path: string): Promise<string> {
  requireFile(path)
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Uint8Array)
  } catch (cause) {
    throw fileError(path, cause)
  }
  return `sha256:${hash.digest('hex')}`
}

/** Creates a source from a file. The file is reopened for each pass; invalid rows are handled according to `onBadRow`. */
export function fileSource(format: FileFormat): Source {
  const { path, onBadRow, rows } = format
  async function* read(
    reject: (row: Rejected) => void,
    fields: readonly string[],
    check: RowCheck | undefined,
  ): AsyncGenerator<Example, void> {
    for await (const some of rows())
      for (const row of some) {
        const fault = 'reason' in row ? row : (missingIn(row, fields, format) ?? (check && faultIn(row, check)))
        if (fault === undefined) yield (row as { readonly example: Example }).example
        else if (onBadRow === 'skip') reject({ line: fault.line, reason: fault.reason, raw: fault.raw })
        else
          throw 'error' in fault ? (fault as Fault).error() : badRow(path, fault, (fault as { remedy?: string }).remedy)
      }
  }
  return {
    location: path,
    open: (reject = () => undefined, fields = [], check) => read(reject, fields, check),
    fingerprint: () => digestOf(path),
  }
}
