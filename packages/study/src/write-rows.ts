import { createWriteStream, renameSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Example } from '@attune/core'
import { writeFault } from '@attune/files'

/** Writes rows as JSONL, under a temporary name until the file is complete. @throws AttuneError `CANNOT_WRITE` */
export async function writeRows(file: string, rows: AsyncIterable<Example>): Promise<void> {
  async function* lines() {
    for await (const row of rows) yield `${JSON.stringify(row)}\n`
  }
  const target = createWriteStream(`${file}.partial`)
  let fault: Error | undefined
  target.on('error', (cause) => (fault = writeFault(file, cause, 'Free disk space, then run the same command again.')))
  await pipeline(Readable.from(lines()), target).catch((error: unknown) => {
    throw fault ?? error
  })
  renameSync(`${file}.partial`, file)
}
