import { type Budget, SOURCE, definePlugin } from '@attune/core'
import {
  type Line,
  type Row,
  fileOptions,
  fileSource,
  lineBudget,
  parseRow,
  pythonNumberIn,
  readLines,
  requireFile,
} from '@attune/data/files'
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

/** Remedy for a file that is one JSON array, as JSON files usually are. */
const ONE_PER_LINE = "Write one object per line, for example: jq -c '.[]' data.json > data.jsonl"

/** The row on a line; undefined for a line of white space. */
function toRow({ number, text }: Line, budget: Budget): Row | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  const fault = faultAtEnds(trimmed)
  if (fault !== undefined) {
    const isArray = number === 1 && trimmed.startsWith('[')
    return { line: number, reason: fault, raw: text, remedy: isArray ? ONE_PER_LINE : undefined }
  }
  try {
    return { example: parseRow(text) as Record<string, unknown>, line: number, raw: text }
  } catch (error) {
    budget.spend(STEPS_PER_ERROR + text.length)
    return { line: number, raw: text, ...notJson(text, error as SyntaxError) }
  }
}

/** The reason why a line is not JSON, and a remedy. */
function notJson(text: string, { message }: SyntaxError): { readonly reason: string; readonly remedy?: string } {
  const number = pythonNumberIn(text)
  if (number === undefined) return { reason: `expected JSON: ${message}` }
  return {
    reason: `expected JSON, got ${number}, a number that only Python writes`,
    remedy: `Write \`null\` or the text "${number}" instead of ${number}.`,
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
 * deep. `__proto__` is an ordinary field name. Integers beyond 2^53 − 1 are read as strings of their digits, which a number would round. Of two fields with the same name the last one counts. Text that is not UTF-8 and lines over
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
