import type { GenerationOptions } from './options.js'

/** State of a sequence being generated. */
interface Context {
  /** Prompt of the decoder, and generated tokens. */
  readonly prompt: readonly number[]
  readonly generated: readonly number[]
  /** Maximum number of generated tokens. */
  readonly room: number
}

/** True if `list` ends with `ending`. */
const endsWith = (list: readonly number[], ending: readonly number[]): boolean =>
  ending.every((id, i) => list[list.length - ending.length + i] === id)

/**
 * Forbids tokens that would complete an n-gram of `size` tokens a second time; changes `logits`.
 * Source: Paulus et al., A Deep Reinforced Model for Abstractive Summarization, 2018, section 2.5.
 */
export function forbidRepeatedNgrams(logits: Float32Array, text: readonly number[], size: number): void {
  if (size === 0 || text.length < size) return
  const last = text.slice(text.length - size + 1)
  for (let end = size - 1; end < text.length; end++)
    if (last.every((id, i) => text[end - size + 1 + i] === id)) logits[text[end]!] = -Infinity
}

/** Forbids the last token of each bad-word sequence whose other tokens were just generated; changes `logits`. */
export function forbidBadWords(
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

/** Forbids end tokens before the minimum length; changes `logits`. */
function forbidEnds(
  logits: Float32Array,
  { prompt, generated }: Context,
  ends: ReadonlySet<number>,
  { minimumNewTokens, minimumLength }: Pick<GenerationOptions, 'minimumNewTokens' | 'minimumLength'>,
): void {
  if (generated.length < minimumNewTokens || prompt.length + generated.length < minimumLength)
    for (const end of ends) logits[end] = -Infinity
}

/** Tokens one of which must come next: the forced first token after a single start token, or the forced end at the length limit. */
function forcedTokens(
  { prompt, generated, room }: Context,
  { forcedBosTokenId, forcedEosTokenIds }: Pick<GenerationOptions, 'forcedBosTokenId' | 'forcedEosTokenIds'>,
): readonly number[] {
  if (forcedEosTokenIds.length > 0 && generated.length === room - 1) return forcedEosTokenIds
  return forcedBosTokenId !== undefined && prompt.length + generated.length === 1 ? [forcedBosTokenId] : []
}

/**
 * Applies the token rules of the options to `logits` in place, in the order of transformers.
 * @param allowed mask of a constraint, which takes precedence over forced tokens
 */
export function applyRules(
  logits: Float32Array,
  context: Context,
  ends: ReadonlySet<number>,
  options: GenerationOptions,
  allowed?: Uint8Array,
): void {
  const text = [...context.prompt, ...context.generated]
  forbidRepeatedNgrams(logits, text, options.noRepeatNgramSize)
  forbidBadWords(logits, text, options.badWordsIds, ends)
  forbidEnds(logits, context, ends, options)
  const forced = forcedTokens(context, options).filter((id) => id < logits.length && allowed?.[id] !== 0)
  if (forced.length === 0) return
  logits.fill(-Infinity)
  for (const id of forced) logits[id] = 0
}
