import { SOURCE, definePlugin } from '@attune/core'
import { type Line, type Row, fileSource, readLines } from '@attune/data'
import { z } from 'zod'

const describe = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`

function toRow({ number, text }: Line): Row {
  const reject = (reason: string): Row => ({ line: number, reason, raw: text })
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { example: value as Record<string, unknown>, line: number, raw: text }
      : reject(`a row must be a JSON object, got ${describe(value)}`)
  } catch (error) {
    return reject(`a row must be JSON: ${(error as SyntaxError).message}`)
  }
}

async function* rows(path: string): AsyncGenerator<readonly Row[], void> {
  for await (const lines of readLines(path)) yield lines.filter(({ text }) => text.trim() !== '').map(toRow)
}

/**
 * A dataset in a JSON Lines file: one object a line, in UTF-8, gzipped if its name ends in `.gz`.
 *
 * Lines of nothing but white space are passed over wherever they stand (the format allows one at the end) and count as
 * lines in messages. A field called `__proto__` is a field like any other. Of two fields of one name the last counts.
 * Text that is not UTF-8 and lines over 16 MiB stop the reading even if bad rows are skipped: they mean that the file is
 * something else, and leaving out every line with an accent would bias what is left.
 */
export const jsonl = definePlugin({
  kind: SOURCE,
  name: 'jsonl',
  summary: 'Reads a JSON Lines file, gzipped or not, one object a line',
  source: 'jsonlines.org; ECMA-404, The JSON Data Interchange Syntax, second edition, 2017',
  options: z.strictObject({
    path: z
      .string()
      .min(1)
      .meta({ path: true })
      .describe('The file; decompressed while it is read if its name ends in `.gz`'),
    onBadRow: z
      .enum(['stop', 'skip'])
      .default('stop')
      .describe(
        'Stop at a row that is no JSON object or lacks a field, or leave such rows out and keep them in a rejects file',
      ),
  }),
  create: ({ path, onBadRow }) => fileSource({ path, onBadRow, rows: () => rows(path) }),
})
export default jsonl
