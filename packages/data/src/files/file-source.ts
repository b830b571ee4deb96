import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { AttuneError, type Example, type Rejected, type Source, excerpt, nearest, shortened } from '@attune/core'
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

/** Result of parsing one row: an example with its line number and raw text, or the reason for rejecting it. */
export type Row = (Omit<Rejected, 'reason'> & { readonly example: Example }) | Rejected

/** A file format, as {@link fileSource} needs it. */
export interface FileFormat {
  readonly path: string
  /** `stop` to throw at an invalid row, `skip` to pass it to `reject`. */
  readonly onBadRow: 'stop' | 'skip'
  /** Reads and parses the file from the start. Rows are yielded in arrays, one for each chunk read. */
  readonly rows: () => AsyncIterable<readonly Row[]>
}

const EXCERPT = 80

function badRow(path: string, { line, reason, raw }: Rejected): AttuneError {
  return new AttuneError(
    'BAD_ROW',
    `${reason}, in ${JSON.stringify(shortened(raw, EXCERPT))} (${path}:${line})`,
    'Correct the row, or set `onBadRow: skip` to skip such rows and record them in a rejects file.',
  )
}

/** Returns a row, rejected if it lacks a required field. */
function withFields(row: Row, fields: readonly string[]): Row {
  if ('reason' in row) return row
  const { example, line, raw } = row
  const missing = fields.find((name) => !Object.hasOwn(example, name) || example[name] === null)
  if (missing === undefined) return row
  const near = nearest(missing, Object.keys(example))
  const hint = near.length > 0 ? `; similar fields: ${near.map((name) => excerpt(name)).join(', ')}` : ''
  return { line, raw, reason: `expected a value in field "${missing}"${hint}` }
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
export function fileSource({ path, onBadRow, rows }: FileFormat): Source {
  async function* read(reject: (row: Rejected) => void, fields: readonly string[]): AsyncGenerator<Example, void> {
    for await (const some of rows())
      for (const each of some) {
        const row = withFields(each, fields)
        if ('example' in row) yield row.example
        else if (onBadRow === 'skip') reject(row)
        else throw badRow(path, row)
      }
  }
  return {
    location: path,
    open: (reject = () => undefined, fields = []) => read(reject, fields),
    fingerprint: () => digestOf(path),
  }
}
