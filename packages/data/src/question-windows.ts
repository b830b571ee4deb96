import { AttuneError, type Encoding, type Tokenizer } from '@attune/core'
import type { Answer } from './locate-answer.js'
/** A question with a part of its context, and the tokens of that part. */
export interface QuestionWindow {
  readonly ids: readonly number[]
  readonly typeIds: readonly number[]
  /** Position in the window of the first token of the context. */
  readonly first: number
  /** Character offsets in the context of its tokens in the window. */
  readonly offsets: readonly (readonly [start: number, end: number])[]
}

/** Maximum length of a window, and the tokens that a window shares with the next one. */
export interface WindowSizes {
  readonly maximumLength: number
  readonly stride: number | undefined
}

/** The default stride, that of transformers' run_qa; at most half of the tokens of the context in a window. */
const STRIDE = 128

/** Maximum fraction of a window that a question fills if the context does not fit in the rest. */
const MOST = 0.75

/** A range of tokens. */
type Range = readonly [from: number, to: number]

/** The ranges of `count` tokens in windows of `size` tokens that share `stride` tokens. */
function rangesOf(count: number, size: number, stride: number): readonly Range[] {
  const windows = Math.max(1, Math.ceil((count - stride) / (size - stride)))
  return Array.from({ length: windows }, (_, i) => {
    const from = i * (size - stride)
    return [from, Math.min(count, from + size)]
  })
}

/** The positions of the tokens of both texts: those of the template are around and between them. */
function textPositions(tokenizer: Tokenizer, question: string, { specialMask = [] }: Encoding) {
  const text = specialMask.flatMap((special, position) => (special === 0 ? [position] : []))
  const { specialMask: own = [] } = tokenizer.encode(question, { offsets: true })
  const count = own.filter((special) => special === 0).length
  return { asked: text.slice(0, count), context: text.slice(count) }
}

/**
 * Splits a question and its context into windows: each has the whole question, which is truncated if it fills more than three
 * quarters of a window, and at most as many tokens of the context as fit. Only the context is split, as with `truncation="only_second"` and
 * `stride` in transformers; a token of the context is in at least one window.
 * @throws AttuneError `BAD_ARGUMENT` if the stride does not leave room for a new token in each window
 */
export function questionWindows(tokenizer: Tokenizer, question: string, context: string, sizes: WindowSizes) {
  const whole = tokenizer.encode(question, { pair: context, offsets: true })
  const { asked, context: body } = textPositions(tokenizer, question, whole)
  const room = sizes.maximumLength - (whole.ids.length - asked.length - body.length)
  const kept = asked.slice(0, Math.max(Math.floor(MOST * room), room - Math.max(1, body.length)))
  const size = room - kept.length
  const stride = sizes.stride ?? Math.min(STRIDE, Math.floor(size / 2))
  if (stride >= size)
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected a stride of less than the ${size} tokens of the context in a window, got ${stride}`,
      'Use a larger `maximumLength` or a smaller `stride` in the objective.',
    )
  const [lost, all] = [new Set(asked.slice(kept.length)), new Set(body)]
  const windows = rangesOf(body.length, size, stride).map(([from, to]): QuestionWindow => {
    const own = new Set(body.slice(from, to))
    const positions = whole.ids.flatMap((_, i) => (lost.has(i) || (all.has(i) && !own.has(i)) ? [] : [i]))
    const first = positions.findIndex((position) => own.has(position))
    return {
      ids: positions.map((position) => whole.ids[position]!),
      typeIds: positions.map((position) => whole.typeIds[position]!),
      first: Math.max(0, first),
      offsets: body.slice(from, to).map((position) => whole.offsets![position]!),
    }
  })
  return { windows, truncated: kept.length < asked.length }
}

/**
 * Positions of the first and last token of an answer in a window; `[0, 0]`, the first token of the window, if the answer is not
 * whole in it, or if there is none. transformers' run_qa continues its search for the start past the context, and misses the start of
 * an answer that consists of the last token of a window; this one does not.
 */
export function answerSpan(
  { first, offsets }: QuestionWindow,
  answer: Answer | undefined,
): readonly [start: number, end: number] {
  if (answer === undefined || offsets.length === 0) return [0, 0]
  const end = answer.start + answer.text.length
  if (offsets[0]![0] > answer.start || offsets.at(-1)![1] < end) return [0, 0]
  const start = offsets.findLastIndex(([from]) => from <= answer.start)
  return [first + start, first + offsets.findIndex(([, to]) => to >= end)]
}
