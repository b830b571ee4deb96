import { shuffled } from '@attune/core'
import { chooseUnits, randomSpans, samplePoisson } from '@attune/data'

/** A corrupted text and what the decoder generates from it; without special tokens at the ends. */
export interface Noised {
  readonly ids: readonly number[]
  readonly target: readonly number[]
}

/** Positions that are corrupted together: words, or single tokens. */
type Units = readonly (readonly number[])[]

const below = (end: number, random: () => number): number => Math.floor(random() * end)

/** Ids of the tokens, without those at `dropped`, and with `replacement` before the positions `at`. */
function rewritten(
  ids: readonly number[],
  dropped: ReadonlySet<number>,
  at: readonly number[],
  replacement: number,
): number[] {
  const counts = new Map<number, number>()
  for (const position of at) counts.set(position, (counts.get(position) ?? 0) + 1)
  return [...ids, -1].flatMap((id, position) => [
    ...Array<number>(counts.get(position) ?? 0).fill(replacement),
    ...(position === ids.length || dropped.has(position) ? [] : [id]),
  ])
}

/**
 * Text infilling: spans with Poisson-distributed lengths are replaced by one mask each, and spans of length 0 by a mask between two tokens.
 * The text never becomes longer. Source: Lewis et al., BART, 2020, section 2.2.
 */
export function infill(
  ids: readonly number[],
  units: Units,
  budget: number,
  { mean, mask, random }: { readonly mean: number; readonly mask: number; readonly random: () => number },
): number[] {
  const spans = randomSpans(units, budget, () => samplePoisson(mean, random), random)
  const dropped = new Set(spans.flat())
  const full = spans.filter((span) => span.length > 0)
  const room = dropped.size - full.length
  const inserted = Array.from({ length: Math.min(spans.length - full.length, room) }, () =>
    below(ids.length + 1, random),
  )
  return rewritten(ids, dropped, [...full.map((span) => span[0]!), ...inserted], mask)
}

/** Token masking: each chosen token becomes the mask. */
export function maskEach(ids: readonly number[], units: Units, budget: number, mask: number, random: () => number) {
  const hidden = chooseUnits(units, budget, random)
  return ids.map((id, position) => (hidden.has(position) ? mask : id))
}

/** Shuffling: the units in random order, which the decoder restores. Source: Raffel et al., T5, 2020, section 3.3.1. */
export const shuffleUnits = (ids: readonly number[], units: Units, random: () => number): number[] =>
  shuffled(units, random).flatMap((unit) => unit.map((position) => ids[position]!))

/** Sentence permutation: the parts of the text that start at `starts` in random order. */
export function permuteSentences(ids: readonly number[], starts: readonly number[], random: () => number): number[] {
  const parts = starts.map((start, i) => ids.slice(start, starts[i + 1] ?? ids.length))
  return shuffled(parts, random).flat()
}

/** Document rotation: the text starts at a random token, and what was before it follows the end. */
export function rotateDocument(ids: readonly number[], random: () => number): number[] {
  const start = below(Math.max(1, ids.length), random)
  return [...ids.slice(start), ...ids.slice(0, start)]
}

/** Rounds to the nearest integer, halves to the even one, as in Python and TensorFlow. */
function roundHalfToEven(x: number): number {
  const floor = Math.floor(x)
  if (x - floor !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

/** Numbers of corrupted tokens and of spans of a text of `length` tokens. */
export function spanCounts(length: number, fraction: number, mean: number) {
  const noise = Math.min(Math.max(roundHalfToEven(length * fraction), 1), length - 1)
  const spans = Math.min(Math.max(roundHalfToEven(noise / mean), 1), noise, length - noise)
  return { noise, spans }
}

/** A random composition of `total` into `parts` positive integers, each with the same probability. */
function composition(total: number, parts: number, random: () => number): number[] {
  const starts = shuffled(
    Array.from({ length: total - 1 }, (_, i) => i + 1),
    random,
  ).slice(0, parts - 1)
  const all = [0, ...starts.sort((a, b) => a - b), total]
  return all.slice(1).map((end, i) => end - all[i]!)
}

/**
 * The mask of the corrupted spans of a text, 1 for corrupted tokens: kept and corrupted runs of random lengths alternate, and the first is
 * kept. A text of one token is not corrupted. Source: Raffel et al., T5, 2020, section 3.1.4, and `random_spans_noise_mask` of its code.
 */
export function spanMask(
  length: number,
  counts: { readonly noise: number; readonly spans: number },
  random: () => number,
): number[] {
  if (length < 2) return Array<number>(length).fill(0)
  const corrupted = composition(counts.noise, counts.spans, random)
  const kept = composition(length - counts.noise, counts.spans, random)
  return kept.flatMap((run, i) => [...Array<number>(run).fill(0), ...Array<number>(corrupted[i]!).fill(1)])
}

/**
 * Span corruption: each corrupted span becomes a sentinel of its own, and the target is each sentinel with the tokens of its span. As in T5's
 * code, and unlike the figure of the paper, no sentinel ends the target.
 */
export function corruptSpans(ids: readonly number[], mask: readonly number[], sentinels: readonly number[]): Noised {
  let span = -1
  const [read, target]: [number[], number[]] = [[], []]
  for (const [position, id] of ids.entries()) {
    const starts = mask[position] === 1 && mask[position - 1] !== 1
    if (starts) {
      span++
      read.push(sentinels[span]!)
      target.push(sentinels[span]!)
    }
    if (mask[position] === 1) target.push(id)
    else read.push(id)
  }
  return { ids: read, target }
}
