import { readLines } from '@attune/data/files'
import { type Collected, collected, refuseVectors, shown } from './collect.js'
import type { WordVectors } from './word-vectors.js'

/** What the first line of a file in word2vec's formats says. */
export interface Header {
  readonly count: number
  readonly size: number
}

/** How many words there are and of what size, if that is what a line says. */
export function headerIn(line: string): Header | undefined {
  const [, count, size] = /^(\d{1,15}) (\d{1,15}) ?$/.exec(line) ?? []
  return count === undefined ? undefined : { count: Number(count), size: Number(size) }
}

/** Reads the numbers behind the word; a word may have spaces in it, as some of GloVe's have. */
function addLine(to: Collected, line: string, size: number, where: string): void {
  const fields = (line.endsWith(' ') ? line.slice(0, -1) : line).split(' ')
  const first = fields.length - size
  if (first < 1)
    refuseVectors(where, `a word and ${size} numbers must stand there, and there are ${fields.length} fields`)
  const row = to.add(fields.slice(0, first).join(' '), where)
  for (let i = 0; i < size; i++) {
    const field = fields[first + i]!
    row[i] = field === '' ? NaN : Number(field)
    if (!Number.isFinite(row[i])) refuseVectors(where, `number ${i + 1} must be a finite one, got ${shown(field)}`)
  }
}

const sizeIn = (line: string): number => line.trimEnd().split(' ').length - 1

/**
 * Reads lines of a word and its numbers; the first may say how many words there are and of what size.
 * @param headed whether it does; `undefined` if it does when it consists of two whole numbers
 */
export async function readText(path: string, headed: boolean | undefined, maximumWords: number): Promise<WordVectors> {
  let header: Header | undefined
  let to: Collected | undefined
  let size = 0
  for await (const lines of readLines(path, { maximumLineBytes: 2 ** 20 }))
    for (const { number, text } of lines) {
      const where = `${path}:${number}`
      if (number === 1) {
        header = headed === false ? undefined : headerIn(text)
        if (headed === true && header === undefined)
          refuseVectors(where, `two numbers, of words and of their size, must stand there, got ${shown(text)}`)
        size = header?.size ?? sizeIn(text)
        to = collected(size, where)
        if (header !== undefined) continue
      }
      if (to!.count === maximumWords) return to!.vectors()
      if (header !== undefined && to!.count === header.count)
        refuseVectors(where, `its first line promises ${header.count} words, and more follow`)
      addLine(to!, text, size, where)
    }
  if (to === undefined) return refuseVectors(path, 'it is empty')
  if (header !== undefined && to.count !== header.count && to.count < maximumWords)
    refuseVectors(path, `its first line promises ${header.count} words, and ${to.count} are there`)
  return to.vectors()
}
