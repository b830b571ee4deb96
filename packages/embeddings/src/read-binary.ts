import { createReadStream } from 'node:fs'
import { fileError } from '@attune/data/files'
import { type VectorCollector, rejectVectors, vectorCollector } from './collect.js'
import { type Header, headerIn } from './read-text.js'
import type { WordVectors } from './word-vectors.js'

const NEWLINE = 10
const SPACE = 32
const MAXIMUM_WORD_BYTES = 10_000

/** The unconsumed bytes of a file. */
interface Bytes {
  rest: Buffer
}

/** Consumes the text up to a delimiter byte and the delimiter; undefined if it was not read yet. */
function takeText(bytes: Bytes, end: number, path: string): string | undefined {
  const at = bytes.rest.indexOf(end)
  if (at > MAXIMUM_WORD_BYTES || (at < 0 && bytes.rest.length > MAXIMUM_WORD_BYTES))
    rejectVectors(path, `it has a word of more than ${MAXIMUM_WORD_BYTES} bytes`)
  if (at < 0) return undefined
  const text = bytes.rest.toString('utf8', 0, at)
  bytes.rest = bytes.rest.subarray(at + 1)
  return text
}

/** Consumes one word with its vector. @returns true if it was complete */
function takeWord(bytes: Bytes, to: VectorCollector, size: number, path: string): boolean {
  const before = bytes.rest
  const word = takeText(bytes, SPACE, path)
  if (word === undefined || bytes.rest.length < 4 * size) {
    bytes.rest = before
    return false
  }
  // Some programs write a line feed after each vector.
  const row = to.add(word.startsWith('\n') ? word.slice(1) : word, path)
  for (let i = 0; i < size; i++) {
    row[i] = bytes.rest.readFloatLE(4 * i)
    if (!Number.isFinite(row[i])) rejectVectors(path, `the vector of word ${to.count} has a number that is not finite`)
  }
  bytes.rest = bytes.rest.subarray(4 * size)
  return true
}

/** Reads a file in chunks and converts file system errors. */
async function* readChunks(path: string): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: 2 ** 16 })
  try {
    for await (const chunk of file) yield chunk as Buffer
  } catch (cause) {
    throw fileError(path, cause)
  } finally {
    file.destroy()
  }
}

/** Reads the binary word2vec format: a header line, then words, each followed by a space and little-endian float32 values. */
export async function readBinary(path: string, maximumWords: number): Promise<WordVectors> {
  const bytes: Bytes = { rest: Buffer.alloc(0) }
  let header: Header | undefined
  let to: VectorCollector | undefined
  for await (const chunk of readChunks(path)) {
    bytes.rest = Buffer.concat([bytes.rest, chunk])
    if (header === undefined) {
      const line = takeText(bytes, NEWLINE, path)
      if (line === undefined) continue
      header = headerIn(line) ?? rejectVectors(path, 'its first line must be the number of words and the dimension')
      to = vectorCollector(header.size, path)
    }
    const limit = Math.min(header.count, maximumWords)
    while (to!.count < limit && takeWord(bytes, to!, header.size, path));
    if (to!.count === limit && limit < header.count) return to!.vectors()
    if (to!.count === limit && bytes.rest.length > 1) rejectVectors(path, `it has data after its ${limit} words`)
  }
  if (to === undefined || header === undefined) return rejectVectors(path, 'it has no first line')
  if (to.count < Math.min(header.count, maximumWords))
    rejectVectors(path, `its first line declares ${header.count} words, but it has ${to.count} complete ones`)
  return to.vectors()
}
