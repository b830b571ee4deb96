import { readLines } from '@attune/data/files'
import { type VectorCollector, quoted, rejectVectors, vectorCollector } from './collect.js'
import type { WordVectors } from './word-vectors.js'

/** The header line of the word2vec formats. */
export interface Header {
  readonly count: number
  readonly size: number
}

/** Parses a header line: the number of words and the dimension; undefined for any other line. */
export function headerIn(line: string): Header | undefined {
  const [, count, size] = /^(\d{1,15}) (\d{1,15}) ?$/.exec(line) ?? []
  return count === undefined ? undefined : { count: Number(count), size: Number(size) }
}

/** Parses a word and its vector; the word may contain spaces, as in some GloVe files. */
function addLine(to: VectorCollector, line: string, size: number, where: string): void {
  const fields = (line.endsWith(' ') ? line.slice(0, -1) : line).split(' ')
  const first = fields.length - size
  if (first < 1) rejectVectors(where, `expected a word and ${size} numbers, got ${fields.length} fields`)
  const row = to.add(fields.slice(0, first).join(' '), where)
  for (let i = 0; i < size; i++) {
    const field = fields[first + i]!
    row[i] = field === '' ? NaN : Number(field)
    if (!Number.isFinite(row[i])) rejectVectors(where, `expected a finite number ${i + 1}, got ${quoted(field)}`)
  }
}

const sizeIn = (line: string): number => line.trimEnd().split(' ').length - 1

/**
 * Reads a text format: lines of a word and its vector, with an optional header line.
 * @param hasHeader `undefined` to detect it: the first line is a header if it consists of two integers
 */
export async function readText(
  path: string,
  hasHeader: boolean | undefined,
  maximumWords: number,
): Promise<WordVectors> {
  let header: Header | undefined
  let to: VectorCollector | undefined
  let size = 0
  for await (const lines of readLines(path, { maximumLineBytes: 2 ** 20 }))
    for (const { number, text } of lines) {
      const where = `${path}:${number}`
      if (number === 1) {
        header = hasHeader === false ? undefined : headerIn(text)
        if (hasHeader === true && header === undefined)
          rejectVectors(where, `expected the number of words and the dimension, got ${quoted(text)}`)
        size = header?.size ?? sizeIn(text)
        to = vectorCollector(size, where)
        if (header !== undefined) continue
      }
      if (to!.count === maximumWords) return to!.vectors()
      if (header !== undefined && to!.count === header.count)
        rejectVectors(where, `its first line declares ${header.count} words, but more follow`)
      addLine(to!, text, size, where)
    }
  if (to === undefined) return rejectVectors(path, 'it is empty')
  if (header !== undefined && to.count !== header.count && to.count < maximumWords)
    rejectVectors(path, `its first line declares ${header.count} words, but it has ${to.count}`)
  return to.vectors()
}
