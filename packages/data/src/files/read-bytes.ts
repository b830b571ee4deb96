import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Budget } from '@attune/core'
import { fileError } from './file-error.js'

const CHUNK_BYTES = 2 ** 16

const GZIP = Buffer.from([0x1f, 0x8b])

/** True if a regular file starts as gzip data do, and no UTF-8 text does. A pipe is not opened, which would take its first bytes. */
function startsAsGzip(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false
  const first = Buffer.alloc(GZIP.length)
  const file = openSync(path, 'r')
  try {
    return readSync(file, first) === first.length && first.equals(GZIP)
  } finally {
    closeSync(file)
  }
}

/** True if a file is to be decompressed. An unreadable file is reported by its reader. */
function isGzip(path: string): boolean {
  try {
    return /\.gz$/i.test(path) || startsAsGzip(path)
  } catch {
    return false
  }
}

/**
 * Reads a file in chunks, decompressed if its name ends in `.gz` or if it starts as gzip data do. The file is closed when the generator ends, whether by
 * completion, an error, or an early return.
 * @param budget raised by the bytes read from the file; spends one step per decompressed byte
 * @throws AttuneError `FILE_NOT_FOUND`, `FILE_NOT_READABLE`, `BAD_GZIP`, and the errors of `budget`.
 */
export async function* readBytes(path: string, budget: Budget): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  const closed = new Promise<void>((resolve) => file.once('close', resolve))
  const bytes = isGzip(path) ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : file
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
