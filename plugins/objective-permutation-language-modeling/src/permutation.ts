import { type Tokenizer, key, shuffled, stream } from '@attune/core'

/** Which tokens of a text are to be predicted. */
export interface Sampling {
  /** The share of tokens that are predicted. */
  readonly probability: number
  /** The most tokens that are predicted in a run. */
  readonly spanLength: number
}

/** A text's targets. */
export interface Permuted {
  /** Their places, from the first to the last. */
  readonly places: readonly number[]
  /** What stands there. */
  readonly targets: readonly number[]
  /** When each target's turn is, from 0, by the order of `places`. */
  readonly turns: readonly number[]
}

/** Tokens that a span has to itself, the span among them. */
const contextLength = (span: number, { probability }: Sampling): number => Math.floor(span / probability)

/** A whole number in [0, end). */
const below = (end: number, random: () => number): number => Math.floor(random() * end)

/** Places of spans, each somewhere in a context of its own; the last may run out of the text. */
function sampleSpans(length: number, sampling: Sampling, random: () => number): number[] {
  const places: number[] = []
  for (let at = 0; at < length;) {
    const span = 1 + below(sampling.spanLength, random)
    const context = contextLength(span, sampling)
    const start = at + below(context - span + 1, random)
    for (let i = start; i < Math.min(start + span, length); i++) places.push(i)
    at += context
  }
  return places
}

/**
 * The targets of a text and a random order of them. A span of 1 to `spanLength` tokens, all lengths alike, lies anywhere in a
 * context of its length over `probability`, and one context follows another; special tokens are no targets. A text in which
 * none came to be has one target, if it has a token for it.
 * Source: Yang et al., XLNet, 2019, sections 2.3 and 3.1; spans as in transformers'
 * `DataCollatorForPermutationLanguageModeling`.
 */
export function permute(
  ids: readonly number[],
  { special }: Tokenizer,
  sampling: Sampling,
  random: () => number,
): Permuted {
  const never = new Set(Object.values(special).filter((id) => id !== special.unknown))
  const plain = (place: number): boolean => !never.has(ids[place]!)
  const sampled = sampleSpans(ids.length, sampling, random).filter(plain)
  const possible = sampled.length > 0 ? [] : [...ids.keys()].filter(plain)
  const places = possible.length > 0 ? [possible[below(possible.length, random)]!] : sampled
  return { places, targets: places.map((place) => ids[place]!), turns: shuffled([...places.keys()], random) }
}

/** No text of `length` tokens has more targets: whole contexts have their share, and of the last no more than a span is there. */
export function mostTargets(length: number, sampling: Sampling): number {
  const spans = Array.from({ length: sampling.spanLength }, (_, i) => i + 1)
  const share = Math.max(...spans.map((span) => span / contextLength(span, sampling)))
  const last = Math.min(sampling.spanLength, length)
  return Math.max(1, Math.floor(share * (length - last) + last))
}

/**
 * Which tokens must not see which, row by row, `length × length`: a target is seen by those alone whose turn comes later, so
 * not by itself and not by what is no target. All else is seen by all.
 */
export function permutationMask({ places, turns }: Permuted, length: number): Uint8Array {
  const hidden = new Uint8Array(length * length)
  const turnOf = new Map(places.map((place, i) => [place, turns[i]!]))
  for (let query = 0; query < length; query++)
    for (const [place, turn] of turnOf) if ((turnOf.get(query) ?? -1) <= turn) hidden[query * length + place] = 1
  return hidden
}

/** A stream of random numbers that is a text's own: what is evaluated with, so that losses can be compared. */
export const ownRandom = (ids: readonly number[]): (() => number) =>
  stream(key(ids.reduce((hash, id) => Math.imul(hash ^ id, 0x01000193) >>> 0, 0x811c9dc5)))
