import { AttuneError, type Example, type Rejected, type Source } from '@attune/core'

/** What a parser makes of one row of a file: an example, or the reason why there is none. */
export type Row = { readonly example: Example } | Rejected

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
  const excerpt = raw.length > EXCERPT ? `${raw.slice(0, EXCERPT)}…` : raw
  return new AttuneError(
    'BAD_ROW',
    `${reason}, in ${JSON.stringify(excerpt)} (${path}:${line})`,
    'Mend the row, or set `onBadRow: skip` to leave such rows out and keep them in a rejects file.',
  )
}

/** Makes a source of a file: opens it anew for each reading, and does with bad rows as `onBadRow` says. */
export function fileSource({ path, onBadRow, rows }: FileFormat): Source {
  async function* read(reject: (row: Rejected) => void): AsyncGenerator<Example, void> {
    for await (const some of rows())
      for (const row of some) {
        if ('example' in row) yield row.example
        else if (onBadRow === 'skip') reject(row)
        else throw badRow(path, row)
      }
  }
  return { location: path, open: (reject = () => undefined) => read(reject) }
}
