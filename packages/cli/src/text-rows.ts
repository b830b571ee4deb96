import { resolve } from 'node:path'
import type { Example, Source } from '@attune/core'
import { readLines } from '@attune/data/files'
import { sourceOf } from './commands/evaluate.js'

/**
 * Rows of a data file; lines of any other file as examples with the text under the first of the fields. A blank line is an empty text.
 * @param fields names of the fields that are read
 */
export async function* textRows(file: string, fields: readonly [string, ...string[]]): AsyncGenerator<Example, void> {
  if (/\.(jsonl|ndjson|json|csv|tsv)(\.gz)?$/i.test(file)) {
    const { use, ...options } = await sourceOf(file)
    yield* (use.plugin(options) as Source).open(undefined, fields)
  } else for await (const lines of readLines(resolve(file))) for (const { text } of lines) yield { [fields[0]]: text }
}
