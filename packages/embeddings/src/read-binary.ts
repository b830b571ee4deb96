import { createReadStream } from 'node:fs'
import { fileError } from '@attune/data/files'
import { type Collected, collected, refuseVectors } from './collect.js'
import { type Header, headerIn } from './read-text.js'
import type { WordVectors } from './word-vectors.js'

const NEWLINE = 10
const SPACE = 32
const LONGEST_WORD = 10_000

/** What is read of a file so far and not yet used. */
interface Bytes {
  rest: Buffer
}

/** Takes the text up to a byte, and that byte; nothing if it is not there yet. */
function takeText(bytes: Bytes, end: number, path: string): string | undefined {
  const at = bytes.rest.indexOf(end)
  if (at > LONGEST_WORD || (at < 0 && bytes.rest.length > LONGEST_WORD))
    refuseVectors(path, `it has a word of more than ${LONGEST_WORD} bytes`)
  if (at < 0) return undefined
  const text = bytes.rest.toString('utf8', 0, at)
  bytes.rest = bytes.rest.subarray(at + 1)
  return text
}

/** Takes one word with its numbers. @returns whether all of it was there */
function takeWord(bytes: Bytes, to: Collected, size: number, path: string): boolean {
  const before = bytes.rest
  const word = takeText(bytes, SPACE, path)
  if (word === undefined || bytes.rest.length < 4 * size) {
    bytes.rest = before
    return false
  }
  // Some programs end a vector by a line feed.
  const row = to.add(word.startsWith('\n') ? word.slice(1) : word, path)
  for (let i = 0; i < size; i++) {
    row[i] = bytes.rest.readFloatLE(4 * i)
    if (!Number.isFinite(row[i])) refuseVectors(path, `the vector of word ${to.count} has a number that is not finite`)
  }
  bytes.rest = bytes.rest.subarray(4 * size)
  return true
}

/** The pieces of a file, whose errors are those of the user. */
async function* piecesOf(path: string): AsyncGenerator<Buffer, void> {
  const file = createReadStream(path, { highWaterMark: 2 ** 16 })
  try {
    for await (const piece of file) yield piece as Buffer
  } catch (cause) {
    throw fileError(path, cause)
  } finally {
    file.destroy()
  }
}

/** Reads a line of two numbers, then words, each with a space behind it and single-precision numbers, little end first. */
export async function readBinary(path: string, maximumWords: number): Promise<WordVectors> {
  const bytes: Bytes = { rest: Buffer.alloc(0) }
  let header: Header | undefined
  let to: Collected | undefined
  for await (const piece of piecesOf(path)) {
    bytes.rest = Buffer.concat([bytes.rest, piece])
    if (header === undefined) {
      const line = takeText(bytes, NEWLINE, path)
      if (line === undefined) continue
      header = headerIn(line) ?? refuseVectors(path, 'its first line does not give the numbers of words and their size')
      to = collected(header.size, path)
    }
    const most = Math.min(header.count, maximumWords)
    while (to!.count < most && takeWord(bytes, to!, header.size, path));
    if (to!.count === most && most < header.count) return to!.vectors()
    if (to!.count === most && bytes.rest.length > 1) refuseVectors(path, `more follows after its ${most} words`)
  }
  if (to === undefined || header === undefined) return refuseVectors(path, 'it has no first line')
  if (to.count < Math.min(header.count, maximumWords))
    refuseVectors(path, `its first line promises ${header.count} words, and ${to.count} are there whole`)
  return to.vectors()
}
