import { createReadStream, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Example, SOURCE, type Source, definePlugin } from '@attune/core'
import { z } from 'zod'
import type { SourceFixture } from '../describe-source.js'

/** The options of {@link lines}. */
export const options = z.strictObject({
  path: z.string().min(1).describe('The file'),
  onBadRow: z.enum(['stop', 'skip']).default('stop').describe('Stop at a bad row, or leave it out'),
})
/** Those, with their defaults. */
export type Options = z.output<typeof options>

async function* linesOf(path: string): AsyncGenerator<string, void> {
  if (!existsSync(path)) throw new AttuneError('NO_FILE', `there is no ${path}`, 'Name another file.')
  let rest = ''
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}

/** What is wrong with a line, or what stands in it. */
function parsed(text: string, fields: readonly string[]): { readonly row: Example } | { readonly reason: string } {
  try {
    const row = JSON.parse(text) as Example
    const missing = fields.find((name) => row[name] === undefined)
    return missing === undefined ? { row } : { reason: `nothing under ${missing}` }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

/** A source as it should be. */
export const lines = definePlugin({
  kind: SOURCE,
  name: 'lines',
  summary: 'Reads a file of one JSON object a line',
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
        else throw new AttuneError('BAD_LINE', `${path}:${line}: ${found.reason}`, 'Mend the line.')
      }
    },
  }),
})

/** How a suite comes by something for it to read. */
export const fixture: SourceFixture = {
  write(rows, folder) {
    const path = join(folder, 'rows')
    writeFileSync(path, rows.map((row) => `${row === undefined ? '{"text":' : JSON.stringify(row)}\n`).join(''))
    return { path }
  },
  missing: { path: 'no/such/file' },
}
