import { type EncodeOptions, type Encoding, TOKENIZER, type Tokenizer, definePlugin } from '@attune/core'
import { z } from 'zod'

const MARKS = ['[unknown]', '[begin]', '[end]']
const [UNKNOWN, BEGIN, END] = [0, 1, 2]

interface Letter {
  readonly id: number
  readonly type: number
  readonly offsets: readonly [number, number]
  readonly special: boolean
}

const mark = (id: number, type: number): Letter => ({ id, type, offsets: [0, 0], special: true })

/** Truncates the longest text until at most `max` letters are left. */
function truncate(parts: readonly (readonly Letter[])[], max: number, side: 'left' | 'right'): (readonly Letter[])[] {
  const lengths = parts.map(({ length }) => length)
  while (lengths.reduce((sum, length) => sum + length, 0) > max) lengths[lengths.indexOf(Math.max(...lengths))]!--
  return parts.map((part, i) => (side === 'right' ? part.slice(0, lengths[i]) : part.slice(part.length - lengths[i]!)))
}

function encodingOf(
  parts: readonly (readonly Letter[])[],
  marks: boolean,
  truncated: boolean,
  withOffsets: boolean,
): Encoding {
  const letters = [
    ...(marks ? [mark(BEGIN!, 0)] : []),
    ...parts.flatMap((part, i) => [...part, ...(marks ? [mark(END!, i)] : [])]),
  ]
  return {
    ids: letters.map(({ id }) => id),
    typeIds: letters.map(({ type }) => type),
    truncated,
    ...(withOffsets
      ? { offsets: letters.map(({ offsets }) => offsets), specialMask: letters.map(({ special }) => Number(special)) }
      : {}),
  }
}

/** Windows after the first one, which overlap by `stride` letters. */
function overflow(letters: readonly Letter[], size: number, stride: number): (readonly Letter[])[] {
  const windows = []
  for (let start = size - stride; start + stride < letters.length; start += size - stride)
    windows.push(letters.slice(start, start + size))
  return windows
}

/** Options of {@link letters} for its suite. */
export const alphabet = { json: { letters: 'abcdefghijklmnopqrstuvwxyz0123456789,.: ' } }

/** Valid tokenizer: one token for each letter of an alphabet. */
export const letters = definePlugin({
  kind: TOKENIZER,
  name: 'letters',
  summary: 'One token for each letter of an alphabet',
  options: z.strictObject({
    json: z.strictObject({ letters: z.string() }).describe('The alphabet'),
    marks: z.boolean().default(true).describe('Adds special tokens at the ends of texts'),
  }),
  create({ json, marks }): Tokenizer {
    const tokens = [...MARKS, ...json.letters]
    const lettersOf = (text: string, type: number): Letter[] =>
      [...text.matchAll(/./gsu)].map(([letter], i, all) => {
        const id = Math.max(UNKNOWN!, tokens.indexOf(letter))
        return { id, type, offsets: [all[i]!.index, all[i]!.index + letter.length], special: false }
      })
    return {
      vocabularySize: tokens.length,
      special: { unknown: UNKNOWN!, begin: BEGIN!, end: END! },
      paddingSide: 'right',
      encode(text, options: EncodeOptions = {}) {
        const { pair, maximumLength = Infinity, truncationSide = 'right', stride, offsets = false } = options
        const marked = marks && options.addSpecialTokens !== false
        const whole = [text, ...(pair === undefined ? [] : [pair])].map(lettersOf)
        const max = maximumLength - (marked ? whole.length + 1 : 0)
        const parts = truncate(whole, max, truncationSide)
        const truncated = whole.some(({ length }, i) => length > parts[i]!.length)
        const windows = truncated && stride !== undefined ? overflow(whole[0]!, max, stride) : []
        const overflowing = windows.map((window) => encodingOf([window], marked, truncated, offsets))
        return { ...encodingOf(parts, marked, truncated, offsets), ...(stride === undefined ? {} : { overflowing }) }
      },
      decode: (ids) => Array.from(ids, (id) => (id < MARKS.length ? '' : tokens[id])).join(''),
      id: (token) => (tokens.includes(token) ? tokens.indexOf(token) : undefined),
      token: (id) => tokens[id],
      files: () => ({ 'tokenizer.json': json }),
    }
  },
})
