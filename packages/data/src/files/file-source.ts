import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { AttuneError, type Example, type Rejected, type Source, excerpt, nearest, shortened } from '@attune/core'
import { z } from 'zod'
import { fileError, requireFile } from './file-error.js'

/**
 * The options of a source that reads a file.
 * @param refused what is wrong with a bad row, as in `is no JSON object`
 */
export const fileOptions = (refused: string) => ({
  path: z
    .string()
    .min(1)
    .meta({ path: true })
    .describe('The file; decompressed while it is read if its name ends in `.gz`'),
  onBadRow: z
    .enum(['stop', 'skip'])
    .default('stop')
    .describe(`Stop at a row that ${refused}, or leave such rows out and keep them in a rejects file`),
})

/** What a parser makes of one row of a file: an example and where and how it stands there, or the reason why there is none. */
export type Row = (Omit<Rejected, 'reason'> & { readonly example: Example }) | Rejected

/** What {@link fileSource} needs of a file format. */
export interface FileFormat {
  readonly path: string
  /** Whether a bad row stops the reading with an error, or is left out and handed to `reject`. */
  readonly onBadRow: 'stop' | 'skip'
  /** Reads and parses the file once from the start. Rows come in arrays, as many as were read at once. */
  readonly rows: () => AsyncIterable<readonly Row[]>
}

const EXCERPT = 80

function badRow(path: string, { line, reason, raw }: Rejected): AttuneError {
  return new AttuneError(
    'BAD_ROW',
    `${reason}, in ${JSON.stringify(shortened(raw, EXCERPT))} (${path}:${line})`,
    'Correct the row, or set `onBadRow: skip` to leave such rows out and keep them in a rejects file.',
  )
}

/** A row, refused if it has nothing under a field that it needs. */
function withFields(row: Row, fields: readonly string[]): Row {
  if ('reason' in row) return row
  const { example, line, raw } = row
  const lacking = fields.find((name) => !Object.hasOwn(example, name) || example[name] === null)
  if (lacking === undefined) return row
  const near = nearest(lacking, Object.keys(example))
  const hint = near.length > 0 ? `; it has ${near.map((name) => excerpt(name)).join(', ')}` : ''
  return { line, raw, reason: `a row must have something under "${lacking}"${hint}` }
}

/** SHA-256 of a file's content, as it lies on the disk: compressed, if it is. */
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

/** Makes a source of a file: opens it anew for each reading, and does with bad rows as `onBadRow` says. */
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
