import { createReadStream, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Example, SOURCE, type Source, definePlugin } from '@attune/core'
import { z } from 'zod'
import type { SourceFixture } from '../describe-source.js'

/** Options of {@link lines}. */
export const options = z.strictObject({
  path: z.string().min(1).describe('The file'),
  onBadRow: z.enum(['stop', 'skip']).default('stop').describe('Stop at a bad row, or skip it'),
})
/** Options with their defaults. */
export type Options = z.output<typeof options>

async function* linesOf(path: string): AsyncGenerator<string, void> {
  if (!existsSync(path)) throw new AttuneError('NO_FILE', `${path} does not exist`, 'Name another file.')
  let rest = ''
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}

/** Parses a line; returns the row, or the reason why it is bad. */
function parsed(text: string, fields: readonly string[]): { readonly row: Example } | { readonly reason: string } {
  try {
    const row = JSON.parse(text) as Example
    const missing = fields.find((name) => row[name] === undefined)
    return missing === undefined ? { row } : { reason: `the field ${missing} is missing` }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

/** Valid source: a file with one JSON object per line. */
export const lines = definePlugin({
  kind: SOURCE,
  name: 'lines',
  summary: 'Reads a file with one JSON object per line',
  options,
  create: ({ path, onBadRow }): Source => ({
    location: path,
    async *open(reject, fields = []) {
      let line = 0
      for await (const raw of linesOf(path)) {
        line++
        const found = parsed(raw, fields)
        if ('row' in found) yield found.row
        else if (onBadRow === 'skip') reject?.({ line, reason: found.reason, raw })
        else throw new AttuneError('BAD_LINE', `${path}:${line}: ${found.reason}`, 'Fix the line.')
      }
    },
  }),
})

/** Creates datasets for {@link lines}. */
export const fixture: SourceFixture = {
  write(rows, folder) {
    const path = join(folder, 'rows')
    writeFileSync(path, rows.map((row) => `${row === undefined ? '{"text":' : JSON.stringify(row)}\n`).join(''))
    return { path }
  },
  missing: { path: 'no/such/file' },
}
