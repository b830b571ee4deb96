import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AttuneError } from '@attune/core'
import { requireFile } from '@attune/data/files'
import { shown } from './collect.js'
import { readBinary } from './read-binary.js'
import { readText } from './read-text.js'
import type { WordVectors } from './word-vectors.js'

/** `word2vec`: lines of a word and its numbers after a line of counts; `glove`: without that line; or word2vec's binary one. */
export type VectorFormat = 'word2vec' | 'word2vec-binary' | 'glove'

/** How to read a file. */
export interface ReadVectorsOptions {
  /**
   * Default: binary if the name ends in `.bin`; else `word2vec` if the first line consists of two whole numbers, and `glove`
   * if not.
   */
  readonly format?: VectorFormat
  /** How many words to read, from the beginning of the file, where the most frequent are. Default: all. */
  readonly maximumWords?: number
}

/**
 * Reads word vectors, piece by piece: what is held is the vectors and one piece. Text may be compressed, in a file that ends
 * in `.gz`.
 * @throws AttuneError `BAD_WORD_VECTORS` for what is unsound: another number of words than promised, a number that is none or
 *   not finite in single precision, a word that is there twice, vectors longer than 10,000; `FILE_NOT_FOUND`,
 *   `FILE_NOT_READABLE`, `BAD_GZIP`, `NOT_UTF8`, `LINE_TOO_LONG`
 */
export async function readWordVectors(
  path: string,
  { format, maximumWords = Infinity }: ReadVectorsOptions = {},
): Promise<WordVectors> {
  requireFile(path)
  const binary = format === undefined ? path.endsWith('.bin') : format === 'word2vec-binary'
  return binary
    ? readBinary(path, maximumWords)
    : readText(path, format === undefined ? undefined : format === 'word2vec', maximumWords)
}

/** The fewest digits that give the same single-precision number again. */
export function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === value) return String(rounded)
  }
  return String(Number(value.toPrecision(9)))
}

function* pieces({ words, size, values }: WordVectors, format: VectorFormat): Generator<Uint8Array | string, void> {
  if (format !== 'glove') yield `${words.length} ${size}\n`
  for (const [row, word] of words.entries()) {
    const vector = values.subarray(row * size, (row + 1) * size)
    if (format !== 'word2vec-binary') {
      yield `${word} ${Array.from(vector, shortest).join(' ')}\n`
      continue
    }
    const bytes = Buffer.alloc(4 * size)
    for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, 4 * i)
    yield Buffer.concat([Buffer.from(`${word} `), bytes])
  }
}

/** Refuses what no program would read back. */
function requireWritable({ words, values }: WordVectors): void {
  const odd = words.find((word) => word === '' || /[ \n\r]/.test(word) || !word.isWellFormed())
  if (odd === undefined && values.every(Number.isFinite)) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    odd === undefined
      ? 'writeWordVectors: numbers must be finite, and some are not'
      : `writeWordVectors: a word must have a letter and neither spaces nor line ends, got ${shown(odd)}`,
    'Leave such words out before writing.',
  )
}

/**
 * Writes word vectors, line by line, under a temporary name and then in its place. Text has the fewest digits that give the same
 * numbers again.
 * @param format default: binary if the name ends in `.bin`, else `word2vec`
 * @throws AttuneError `BAD_ARGUMENT` for words that the formats cannot hold and numbers that are not finite; `CANNOT_WRITE`
 */
export async function writeWordVectors(path: string, vectors: WordVectors, format?: VectorFormat): Promise<void> {
  requireWritable(vectors)
  const temporary = `${path}.partial`
  try {
    const rows = pieces(vectors, format ?? (path.endsWith('.bin') ? 'word2vec-binary' : 'word2vec'))
    await pipeline(Readable.from(rows), createWriteStream(temporary))
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new AttuneError(
      'CANNOT_WRITE',
      `${path} could not be written: ${(cause as Error).message}`,
      'Make room or choose another folder; what was there before is untouched.',
      { cause },
    )
  }
}
