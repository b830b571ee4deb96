import { type Tokenizer, shuffled } from '@attune/core'

/** Sampling of the tokens to predict. */
export interface Sampling {
  /** Fraction of tokens to predict. */
  readonly probability: number
  /** Maximum length of a span of predicted tokens. */
  readonly spanLength: number
}

/** The targets of a text. */
export interface Permuted {
  /** Their positions, in ascending order. */
  readonly positions: readonly number[]
  /** The tokens at these positions. */
  readonly targets: readonly number[]
  /** The rank of each target in the permutation, from 0, in the order of `positions`. */
  readonly turns: readonly number[]
}

/** Length of the context of a span, including the span. */
const contextLength = (span: number, { probability }: Sampling): number => Math.floor(span / probability)

/** A random integer in [0, end). */
const below = (end: number, random: () => number): number => Math.floor(random() * end)

/** Positions of spans, each at a random offset in a context of its own; the last may be truncated by the end of the text. */
function sampleSpans(length: number, sampling: Sampling, random: () => number): number[] {
  const positions: number[] = []
  for (let at = 0; at < length;) {
    const span = 1 + below(sampling.spanLength, random)
    const context = contextLength(span, sampling)
    const start = at + below(context - span + 1, random)
    for (let i = start; i < Math.min(start + span, length); i++) positions.push(i)
    at += context
  }
  return positions
}

/**
 * The targets of a text and a random order of them. A span of 1 to `spanLength` tokens, with uniform length, is at a random offset in a
 * context of its length divided by `probability`, and contexts follow one another; special tokens are never targets. A text without a
 * target gets one if it has an ordinary token.
 * Source: Yang et al., XLNet, 2019, sections 2.3 and 3.1; spans as in transformers'
 * `DataCollatorForPermutationLanguageModeling`.
 */
export function permute(
  ids: readonly number[],
  { special }: Tokenizer,
  sampling: Sampling,
  random: () => number,
): Permuted {
  const specialIds = new Set(Object.values(special).filter((id) => id !== special.unknown))
  const plain = (position: number): boolean => !specialIds.has(ids[position]!)
  const sampled = sampleSpans(ids.length, sampling, random).filter(plain)
  const possible = sampled.length > 0 ? [] : [...ids.keys()].filter(plain)
  const positions = possible.length > 0 ? [possible[below(possible.length, random)]!] : sampled
  return {
    positions,
    targets: positions.map((position) => ids[position]!),
    turns: shuffled([...positions.keys()], random),
  }
}

/** Upper bound of the number of targets of a text of `length` tokens: full contexts have their fraction, the last at most a span. */
export function mostTargets(length: number, sampling: Sampling): number {
  const spans = Array.from({ length: sampling.spanLength }, (_, i) => i + 1)
  const fraction = Math.max(...spans.map((span) => span / contextLength(span, sampling)))
  const last = Math.min(sampling.spanLength, length)
  return Math.max(1, Math.floor(fraction * (length - last) + last))
}

/**
 * Attention mask of the permutation, `length × length`, 1 where the row's token must not attend to the column's: a target is visible only
 * to later targets, neither to itself nor to other tokens. All other tokens are visible to all.
 */
export function permutationMask({ positions, turns }: Permuted, length: number): Uint8Array {
  const hidden = new Uint8Array(length * length)
  const turnOf = new Map(positions.map((position, i) => [position, turns[i]!]))
  for (let query = 0; query < length; query++)
    for (const [position, turn] of turnOf) if ((turnOf.get(query) ?? -1) <= turn) hidden[query * length + position] = 1
  return hidden
}
