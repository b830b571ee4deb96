import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { AttuneError, isRecord, parseJson } from '@attune/core'
import type { Row, Rows } from './rows.js'

const NEWLINE = 10
/** Maximum nesting depth: that of sources, plus the surrounding list. */
const DEPTH = 130

/** Serializes a row as a line: its example, or a list of the example and its weight. */
export const lineOf = ({ example, weight }: Row): string =>
  JSON.stringify(weight === undefined ? example : [example, weight])

function rowOf(line: string): Row {
  const value = parseJson(line, DEPTH)
  if (isRecord(value)) return { example: value }
  const [example, weight] = value as [Row['example'], number]
  return { example, weight }
}

/** True if a value survives a JSON round trip: no dates, non-finite numbers or typed arrays. */
export function survivesJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (Array.isArray(value)) return value.every(survivesJson)
  if (typeof value !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(survivesJson)
}

/** Computes the digest of a file and the byte offsets of its lines, `[lines + 1]`. */
export async function indexLines(path: string): Promise<{ readonly sha256: string; readonly offsets: Float64Array }> {
  const hash = createHash('sha256')
  let offsets = new Float64Array(1024)
  let [count, at] = [0, 0]
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, newline + 1)) {
      if (++count === offsets.length) {
        const larger = new Float64Array(2 * count)
        larger.set(offsets)
        offsets = larger
      }
      offsets[count] = at + newline + 1
    }
    at += chunk.length
  }
  return { sha256: hash.digest('hex'), offsets: offsets.slice(0, count + 1) }
}

const changedError = (path: string, cause: unknown): AttuneError =>
  new AttuneError(
    'RUN_CHANGED',
    `the prepared data in ${path} were removed or changed during use: ${(cause as Error).message}`,
    'Run `npx attune train --resume RUN`, which prepares the data again from the source.',
    { cause },
  )

async function readText(file: FileHandle, path: string, start: number, end: number): Promise<string> {
  const bytes = Buffer.alloc(end - start)
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at)
    if (bytesRead === 0) throw changedError(path, new Error('the file was truncated'))
    at += bytesRead
  }
  return bytes.toString('utf8')
}

/** Maximum number of bytes of consecutive lines read at once. */
const BLOCK = 2 ** 18

function* upTo(count: number): Generator<number, void> {
  for (let index = 0; index < count; index++) yield index
}

/** Rows of a file; only their byte offsets are held in memory. */
export function fileRows(path: string, offsets: Float64Array): Rows {
  const count = offsets.length - 1
  async function* opened(work: (file: FileHandle) => AsyncIterable<Row>): AsyncGenerator<Row, void> {
    const file = await open(path, 'r').catch((cause: unknown) => Promise.reject(changedError(path, cause)))
    try {
      yield* work(file)
    } finally {
      await file.close()
    }
  }
  /** Reads consecutive rows at once. */
  async function* between(file: FileHandle, first: number, end: number): AsyncGenerator<Row, void> {
    if (first === end) return
    const text = await readText(file, path, offsets[first]!, offsets[end]! - 1)
    for (const line of text.split('\n')) yield rowOf(line)
  }
  const pick: Rows['pick'] = (indices) =>
    opened(async function* (file) {
      let [first, end] = [0, 0]
      for (const index of indices) {
        if (index !== end || offsets[index + 1]! - offsets[first]! > BLOCK) {
          yield* between(file, first, end)
          first = index
        }
        end = index + 1
      }
      yield* between(file, first, end)
    })
  return { count, all: () => pick(upTo(count)), pick }
}
