import { closeSync, openSync, readSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { AttuneError } from '@attune/core'
import { type Statistics, writeFault } from '@attune/files'

/** Rows of float32 values by key. */
export interface RowStore {
  /** `memory`, or the path of the file. */
  readonly location: string
  has(key: string): boolean
  /** Adds a row. A key is written once. */
  write(key: string, row: Float32Array): void
  /** Returns the row of a key that exists. */
  read(key: string): Float32Array
  /** Frees the rows, and removes the file. */
  close(): void
}

/** Rows in memory. */
export function memoryRowStore(): RowStore {
  const rows = new Map<string, Float32Array>()
  return {
    location: 'memory',
    has: (key) => rows.has(key),
    write: (key, row) => void rows.set(key, row),
    read: (key) => rows.get(key)!,
    close: () => rows.clear(),
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Writes all bytes at the end of a file of `at` bytes; a single write may be partial. */
function append(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, at + done)
}

const REMEDY =
  'Free disk space, set `directory` to another disk, or remove training.cacheOutputs: then nothing is stored.'

function requireSpace(path: string, bytes: number, statistics: Statistics): void {
  const { bavail, bsize } = statistics(dirname(path))
  if (bavail * bsize >= bytes) return
  throw new AttuneError(
    'CACHE_TOO_LARGE',
    `${path}: expected ${bytes} bytes of free disk space for the cached outputs, got ${bavail * bsize}`,
    REMEDY,
  )
}

const shortened = (path: string, size: number): AttuneError =>
  new AttuneError(
    'RUN_DAMAGED',
    `${path}: expected ${size} bytes of cached outputs, but the file was shortened during the run`,
    'Do not change the run folder during a run. Resume the run: the outputs are computed again.',
  )

/**
 * Rows in a file, read one by one; only their keys and positions are in memory. An existing file is replaced.
 * @param bytes total size of the rows that will be written
 * @param statistics source of the free disk space; default `statfsSync`
 * @throws AttuneError `CACHE_TOO_LARGE` if the disk has less free space, `CANNOT_WRITE`; from `read`, `RUN_DAMAGED`
 */
export function fileRowStore(path: string, bytes: number, statistics: Statistics = statfsSync): RowStore {
  requireSpace(path, bytes, statistics)
  const positions = new Map<string, { readonly at: number; readonly length: number }>()
  const guarded = <T>(write: () => T): T => {
    try {
      return write()
    } catch (error) {
      throw writeFault(path, error, REMEDY)
    }
  }
  const file = guarded(() => openSync(path, 'w+'))
  let size = 0
  return {
    location: path,
    has: (key) => positions.has(key),
    write(key, row) {
      guarded(() => append(file, bytesOf(row), size))
      positions.set(key, { at: size, length: row.length })
      size += row.byteLength
    },
    read(key) {
      const { at, length } = positions.get(key)!
      const row = new Float32Array(length)
      if (readSync(file, bytesOf(row), 0, row.byteLength, at) === row.byteLength) return row
      throw shortened(path, size)
    },
    close() {
      closeSync(file)
      rmSync(path, { force: true })
    },
  }
}
