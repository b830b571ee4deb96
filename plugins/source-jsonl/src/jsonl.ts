import { type Budget, SOURCE, definePlugin, parseJson } from '@attune/core'
import { type Line, type Row, fileOptions, fileSource, lineBudget, readLines, requireFile } from '@attune/data/files'
import { z } from 'zod'

/** What a row begins as that does not begin as an object. */
const BEGINNINGS: readonly (readonly [beginning: RegExp, what: string])[] = [
  [/^\[/, 'an array'],
  [/^"/, 'a string'],
  [/^-?\d/, 'a number'],
  [/^(?:true|false)$/, 'a boolean'],
  [/^null$/, 'null'],
]

/** Why a text cannot be an object of JSON, seen by its ends: making an error of `JSON.parse` costs more than to read a row. */
function faultAtEnds(trimmed: string): string | undefined {
  if (!trimmed.startsWith('{')) {
    const [, what] = BEGINNINGS.find(([beginning]) => beginning.test(trimmed)) ?? []
    return what === undefined ? 'a row must be JSON, and begin with `{`' : `a row must be a JSON object, got ${what}`
  }
  return trimmed.endsWith('}') ? undefined : 'a row must be JSON, and end with `}`'
}

/** Cost of an error of `JSON.parse`, in steps of the budget. */
const STEPS_PER_ERROR = 500

/** The row on a line; nothing for one of white space. */
function toRow({ number, text }: Line, budget: Budget): Row | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  const fault = faultAtEnds(trimmed)
  if (fault !== undefined) return { line: number, reason: fault, raw: text }
  try {
    return { example: parseJson(text) as Record<string, unknown>, line: number, raw: text }
  } catch (error) {
    budget.spend(STEPS_PER_ERROR)
    return { line: number, reason: `a row must be JSON: ${(error as SyntaxError).message}`, raw: text }
  }
}

async function* rows(path: string): AsyncGenerator<readonly Row[], void> {
  requireFile(path)
  const budget = lineBudget(path)
  for await (const lines of readLines(path, { budget }))
    yield lines.map((line) => toRow(line, budget)).filter((row) => row !== undefined)
}

/**
 * A dataset in a JSON Lines file: one object a line, in UTF-8, gzipped if its name ends in `.gz`.
 *
 * Lines of nothing but white space are passed over wherever they stand (the format allows one at the end) and count as
 * lines in messages. Values may be nested 128 deep. A field called `__proto__` is a field like any other. Of two fields of one name the last counts.
 * Text that is not UTF-8 and lines over 16 MiB stop the reading even if bad rows are skipped: they mean that the file is
 * something else, and leaving out every line with an accent would bias what is left.
 */
export const jsonl = definePlugin({
  kind: SOURCE,
  name: 'jsonl',
  summary: 'Reads a JSON Lines file, gzipped or not, one object a line',
  source: 'jsonlines.org; ECMA-404, The JSON Data Interchange Syntax, second edition, 2017',
  options: z.strictObject(fileOptions('is no JSON object or lacks a field')),
  create: ({ path, onBadRow }) => fileSource({ path, onBadRow, rows: () => rows(path) }),
})
export default jsonl
