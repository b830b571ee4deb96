import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Budget } from '@attune/core'
import { fileError } from './file-error.js'

const CHUNK_BYTES = 2 ** 16

/**
 * Reads a file in chunks, decompressed if its name ends in `.gz`. The file is closed when the generator ends, whether by
 * completion, an error, or an early return.
 * @param budget raised by the bytes read from the file; spends one step per decompressed byte
 * @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`, `BAD_GZIP`, and the errors of `budget`.
 */
export async function* readBytes(path: string, budget: Budget): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  const closed = new Promise<void>((resolve) => file.once('close', resolve))
  const bytes = path.endsWith('.gz') ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : file
  try {
    let allowed = 0
    for await (const chunk of bytes) {
      budget.allow(file.bytesRead - allowed)
      allowed = file.bytesRead
      budget.spend((chunk as Buffer).length)
      yield chunk as Buffer
    }
    if (bytes !== file && file.bytesRead === 0) throw Object.assign(new Error('no data'), { code: 'Z_BUF_ERROR' })
  } catch (cause) {
    throw fileError(path, cause)
  } finally {
    file.destroy()
    await closed
  }
}
