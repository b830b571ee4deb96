import { type Budget, SOURCE, definePlugin, parseJson } from '@attune/core'
import { type Line, type Row, fileOptions, fileSource, lineBudget, readLines, requireFile } from '@attune/data/files'
import { z } from 'zod'

/** Names of JSON values by their beginning, for rows that are not objects. */
const BEGINNINGS: readonly (readonly [beginning: RegExp, what: string])[] = [
  [/^\[/, 'an array'],
  [/^"/, 'a string'],
  [/^-?\d/, 'a number'],
  [/^(?:true|false)$/, 'a boolean'],
  [/^null$/, 'null'],
]

/** The reason why a text cannot be a JSON object, judged by its ends: creating the error of `JSON.parse` costs more than reading a row. */
function faultAtEnds(trimmed: string): string | undefined {
  if (!trimmed.startsWith('{')) {
    const [, what] = BEGINNINGS.find(([beginning]) => beginning.test(trimmed)) ?? []
    return what === undefined ? 'expected JSON that starts with `{`' : `expected a JSON object, got ${what}`
  }
  return trimmed.endsWith('}') ? undefined : 'expected JSON that ends with `}`'
}

/** Cost of an error of `JSON.parse`, in steps of the budget. */
const STEPS_PER_ERROR = 500

/** The row on a line; undefined for a line of white space. */
function toRow({ number, text }: Line, budget: Budget): Row | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  const fault = faultAtEnds(trimmed)
  if (fault !== undefined) return { line: number, reason: fault, raw: text }
  try {
    return { example: parseJson(text) as Record<string, unknown>, line: number, raw: text }
  } catch (error) {
    budget.spend(STEPS_PER_ERROR)
    return { line: number, reason: `expected JSON: ${(error as SyntaxError).message}`, raw: text }
  }
}

async function* rows(path: string): AsyncGenerator<readonly Row[], void> {
  requireFile(path)
  const budget = lineBudget(path)
  for await (const lines of readLines(path, { budget }))
    yield lines.map((line) => toRow(line, budget)).filter((row) => row !== undefined)
}

/**
 * A dataset in a JSON Lines file: one object per line, in UTF-8, gzipped if its name ends in `.gz`.
 *
 * Lines of white space are skipped anywhere (the format allows one at the end) and count as lines in messages. Values may be nested 128
 * deep. `__proto__` is an ordinary field name. Of two fields with the same name the last one counts. Text that is not UTF-8 and lines over
 * 16 MiB stop the reading even if bad rows are skipped: they mean that the file has another format, and skipping every line with an
 * accent would bias the data.
 */
export const jsonl = definePlugin({
  kind: SOURCE,
  name: 'jsonl',
  summary: 'Reads a JSON Lines file, optionally gzipped, with one object per line',
  source: 'jsonlines.org; ECMA-404, The JSON Data Interchange Syntax, second edition, 2017',
  options: z.strictObject(fileOptions('is not a JSON object or lacks a field')),
  create: ({ path, onBadRow }) => fileSource({ path, onBadRow, rows: () => rows(path) }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'source jsonl': typeof jsonl
  }
}

export default jsonl
