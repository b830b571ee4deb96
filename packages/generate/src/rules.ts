import type { GenerationOptions } from './options.js'

/** What a text has come to. */
interface Context {
  /** What the decoder has read before it writes, and what is written. */
  readonly read: readonly number[]
  readonly written: readonly number[]
  /** Tokens that may be written in all. */
  readonly room: number
}

/** Whether a list ends with another. */
const endsWith = (list: readonly number[], ending: readonly number[]): boolean =>
  ending.every((id, i) => list[list.length - ending.length + i] === id)

/**
 * Forbids tokens that would make a sequence of `size` tokens stand in a text a second time; changes `logits`.
 * Source: Paulus et al., A Deep Reinforced Model for Abstractive Summarization, 2018, section 2.5.
 */
export function forbidRepeats(logits: Float32Array, text: readonly number[], size: number): void {
  if (size === 0 || text.length < size) return
  const last = text.slice(text.length - size + 1)
  for (let end = size - 1; end < text.length; end++)
    if (last.every((id, i) => text[end - size + 1 + i] === id)) logits[text[end]!] = -Infinity
}

/** Forbids the last token of each of some sequences where the others were just written; changes `logits`. */
export function forbidWords(
  logits: Float32Array,
  text: readonly number[],
  words: readonly (readonly number[])[],
  ends: ReadonlySet<number>,
): void {
  for (const word of words) {
    const [last] = word.slice(-1) as [number]
    const isEnd = word.length === 1 && ends.has(last)
    const follows = word.length === 1 || (word.length <= text.length && endsWith(text, word.slice(0, -1)))
    if (!isEnd && follows && last < logits.length) logits[last] = -Infinity
  }
}

/** Forbids the ends of a text while it is too short; changes `logits`. */
function forbidEnds(
  logits: Float32Array,
  { read, written }: Context,
  ends: ReadonlySet<number>,
  { minimumNewTokens, minimumLength }: Pick<GenerationOptions, 'minimumNewTokens' | 'minimumLength'>,
): void {
  if (written.length < minimumNewTokens || read.length + written.length < minimumLength)
    for (const end of ends) logits[end] = -Infinity
}

/** The tokens one of which must come now, if any: the first after a single one that was read, or the last that there is room for. */
function forcedNow(
  { read, written, room }: Context,
  { forcedBosTokenId, forcedEosTokenIds }: Pick<GenerationOptions, 'forcedBosTokenId' | 'forcedEosTokenIds'>,
): readonly number[] {
  if (forcedEosTokenIds.length > 0 && written.length === room - 1) return forcedEosTokenIds
  return forcedBosTokenId !== undefined && read.length + written.length === 1 ? [forcedBosTokenId] : []
}

/**
 * Takes from the logits what the options forbid after a text, in the order of the Hugging Face library; changes `logits`.
 * @param allowed 1 for tokens that a constraint lets through: it goes before a token that is to come now
 */
export function applyRules(
  logits: Float32Array,
  context: Context,
  ends: ReadonlySet<number>,
  options: GenerationOptions,
  allowed?: Uint8Array,
): void {
  const text = [...context.read, ...context.written]
  forbidRepeats(logits, text, options.noRepeatNgramSize)
  forbidWords(logits, text, options.badWordsIds, ends)
  forbidEnds(logits, context, ends, options)
  const forced = forcedNow(context, options).filter((id) => id < logits.length && allowed?.[id] !== 0)
  if (forced.length === 0) return
  logits.fill(-Infinity)
  for (const id of forced) logits[id] = 0
}
