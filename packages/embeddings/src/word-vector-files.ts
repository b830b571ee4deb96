import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AttuneError } from '@attune/core'
import { requireFile } from '@attune/data/files'
import { quoted } from './collect.js'
import { readBinary } from './read-binary.js'
import { readText } from './read-text.js'
import type { WordVectors } from './word-vectors.js'

/** `word2vec`: a header line, then lines of a word and its vector; `glove`: the same without the header; `word2vec-binary`. */
export type VectorFormat = 'word2vec' | 'word2vec-binary' | 'glove'

/** Options of {@link readWordVectors}. */
export interface ReadVectorsOptions {
  /**
   * The file format. Default: binary if the name ends in `.bin`; otherwise `word2vec` if the first line consists of two integers,
   * else `glove`.
   */
  readonly format?: VectorFormat
  /** Maximum number of words to read from the start of the file, where the most frequent ones are. Default: all. */
  readonly maximumWords?: number
}

/**
 * Reads word vectors in chunks; memory holds the vectors and one chunk. Text files may be gzipped if their name ends in `.gz`.
 * @throws AttuneError `BAD_WORD_VECTORS` for a malformed file: a wrong number of words, a value that is not a number or not finite
 *   in single precision, a duplicate word, vectors of more than 10,000 dimensions; `FILE_NOT_FOUND`, `FILE_NOT_READABLE`,
 *   `BAD_GZIP`, `NOT_UTF8`, `LINE_TOO_LONG`
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

/** Formats a float32 value with the fewest digits that restore it exactly. */
export function shortestDecimal(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === value) return String(rounded)
  }
  return String(Number(value.toPrecision(9)))
}

function* chunksOf({ words, size, values }: WordVectors, format: VectorFormat): Generator<Uint8Array | string, void> {
  if (format !== 'glove') yield `${words.length} ${size}\n`
  for (const [row, word] of words.entries()) {
    const vector = values.subarray(row * size, (row + 1) * size)
    if (format !== 'word2vec-binary') {
      yield `${word} ${Array.from(vector, shortestDecimal).join(' ')}\n`
      continue
    }
    const bytes = Buffer.alloc(4 * size)
    for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, 4 * i)
    yield Buffer.concat([Buffer.from(`${word} `), bytes])
  }
}

/** Throws for words and values that the formats cannot represent. */
function requireWritable({ words, values }: WordVectors): void {
  const invalid = words.find((word) => word === '' || /[ \n\r]/.test(word) || !word.isWellFormed())
  if (invalid === undefined && values.every(Number.isFinite)) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    invalid === undefined
      ? 'writeWordVectors: expected finite values, got NaN or infinity'
      : `writeWordVectors: expected a non-empty word without spaces and line endings, got ${quoted(invalid)}`,
    'Remove such words before writing.',
  )
}

/**
 * Writes word vectors to a temporary file and renames it. Text formats use the fewest digits that restore the values exactly.
 * @param format default: binary if the name ends in `.bin`, else `word2vec`
 * @throws AttuneError `BAD_ARGUMENT` for words that the formats cannot represent and values that are not finite; `CANNOT_WRITE`
 */
export async function writeWordVectors(path: string, vectors: WordVectors, format?: VectorFormat): Promise<void> {
  requireWritable(vectors)
  const temporary = `${path}.partial`
  try {
    const rows = chunksOf(vectors, format ?? (path.endsWith('.bin') ? 'word2vec-binary' : 'word2vec'))
    await pipeline(Readable.from(rows), createWriteStream(temporary))
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new AttuneError(
      'CANNOT_WRITE',
      `${path} could not be written: ${(cause as Error).message}`,
      'Free disk space or choose another folder. The previous file is unchanged.',
      { cause },
    )
  }
}
