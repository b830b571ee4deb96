import { type EncodeOptions, type Encoding, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import { z } from 'zod'

const MARKS = ['[unknown]', '[begin]', '[end]']
const [UNKNOWN, BEGIN, END] = [0, 1, 2]

interface Letter {
  readonly id: number
  readonly type: number
  readonly place: readonly [number, number]
  readonly special: boolean
}

const mark = (id: number, type: number): Letter => ({ id, type, place: [0, 0], special: true })

/** The letters of texts, the longest cut until no more than `most` are left. */
function cut(parts: readonly (readonly Letter[])[], most: number, side: 'left' | 'right'): (readonly Letter[])[] {
  const lengths = parts.map(({ length }) => length)
  while (lengths.reduce((sum, length) => sum + length, 0) > most) lengths[lengths.indexOf(Math.max(...lengths))]!--
  return parts.map((part, i) => (side === 'right' ? part.slice(0, lengths[i]) : part.slice(part.length - lengths[i]!)))
}

function laidOut(parts: readonly (readonly Letter[])[], marks: boolean, truncated: boolean, places: boolean): Encoding {
  const letters = [
    ...(marks ? [mark(BEGIN!, 0)] : []),
    ...parts.flatMap((part, i) => [...part, ...(marks ? [mark(END!, i)] : [])]),
  ]
  return {
    ids: letters.map(({ id }) => id),
    typeIds: letters.map(({ type }) => type),
    truncated,
    ...(places
      ? { offsets: letters.map(({ place }) => place), specialMask: letters.map(({ special }) => Number(special)) }
      : {}),
  }
}

/** What follows the first window of a text, where windows share `stride` letters. */
function others(letters: readonly Letter[], size: number, stride: number): (readonly Letter[])[] {
  const windows = []
  for (let start = size - stride; start + stride < letters.length; start += size - stride)
    windows.push(letters.slice(start, start + size))
  return windows
}

/** The options of {@link letters} that its suite is run with. */
export const alphabet = { json: { letters: 'abcdefghijklmnopqrstuvwxyz0123456789,.: ' } }

/** Every letter of an alphabet is a token. A tokenizer as it should be. */
export const letters = definePlugin({
  kind: TOKENIZER,
  name: 'letters',
  summary: 'One token for each letter of an alphabet',
  options: z.strictObject({
    json: z.strictObject({ letters: z.string() }).describe('The alphabet'),
    marks: z.boolean().default(true).describe('Whether the ends of texts are marked'),
  }),
  create({ json, marks }): Tokenizer {
    const tokens = [...MARKS, ...json.letters]
    const lettersOf = (text: string, type: number): Letter[] =>
      [...text.matchAll(/./gsu)].map(([letter], i, all) => {
        const id = Math.max(UNKNOWN!, tokens.indexOf(letter))
        return { id, type, place: [all[i]!.index, all[i]!.index + letter.length], special: false }
      })
    return {
      vocabularySize: tokens.length,
      special: { unknown: UNKNOWN!, begin: BEGIN!, end: END! },
      paddingSide: 'right',
      encode(text, options: EncodeOptions = {}) {
        const { pair, maximumLength = Infinity, truncationSide = 'right', stride, offsets = false } = options
        const marked = marks && options.addSpecialTokens !== false
        const whole = [text, ...(pair === undefined ? [] : [pair])].map(lettersOf)
        const most = maximumLength - (marked ? whole.length + 1 : 0)
        const parts = cut(whole, most, truncationSide)
        const truncated = whole.some(({ length }, i) => length > parts[i]!.length)
        const windows = truncated && stride !== undefined ? others(whole[0]!, most, stride) : []
        const overflowing = windows.map((window) => laidOut([window], marked, truncated, offsets))
        return { ...laidOut(parts, marked, truncated, offsets), ...(stride === undefined ? {} : { overflowing }) }
      },
      decode: (ids) => Array.from(ids, (id) => (id < MARKS.length ? '' : tokens[id])).join(''),
      id: (token) => (tokens.includes(token) ? tokens.indexOf(token) : undefined),
      token: (id) => tokens[id],
      files: () => ({ 'tokenizer.json': json }),
    }
  },
})
