import { type Batch, type Encoded, type Example, type Key, type Objective, deriveKey, stream } from '@attune/core'
import { batchByGroup, bucketByLength, map, shuffle, skip } from '@attune/data'
import type { Row } from '../data/rows.js'
import { keepFields } from './kept-fields.js'

/** Batches sorted together by length: enough that rows of a batch are alike, few enough that order stays random. */
const BUCKETS = 32

/** A batch made ready on the host, in the parts that are computed one after another, and what it holds. */
export interface ReadyBatch {
  readonly parts: readonly Batch[]
  readonly examples: number
  readonly tokens: number
}

/**
 * Encodes examples as they come, and counts the truncated ones. Items keep the `fields` of their examples, which metrics read.
 * @example
 * const { items, truncated } = encodeAll(source.open(), (example) => objective.encode(example))
 */
export function encodeAll(
  examples: AsyncIterable<Example>,
  encode: (example: Example) => Encoded,
  fields: readonly string[] = [],
): { readonly items: AsyncIterable<Encoded>; truncated(): number } {
  let truncated = 0
  const items = map(examples, (example) => {
    const item = keepFields(encode(example), example, fields)
    if (item.truncated) truncated++
    return item
  })
  return { items, truncated: () => truncated }
}

/** Encodes rows as they come, each with its weight, and counts those that were truncated. */
export function encodeRows(
  rows: AsyncIterable<Row>,
  encode: (example: Example) => Encoded,
): { readonly items: AsyncIterable<Encoded>; truncated(): number } {
  let truncated = 0
  const items = map(rows, ({ example, weight }) => {
    const item = encode(example)
    if (item.truncated) truncated++
    return weight === undefined ? item : { ...item, weight }
  })
  return { items, truncated: () => truncated }
}

/**
 * The number of batches of an epoch: those of each group are counted for themselves.
 * @param count of all items; they are read only if they have groups
 */
export async function countBatches(
  items: () => AsyncIterable<Encoded>,
  count: number,
  batchSize: number,
): Promise<number> {
  const groups = new Map<string, number>()
  try {
    for await (const { group } of items()) {
      if (group === undefined && groups.size === 0) return Math.ceil(count / batchSize)
      groups.set(group ?? '', (groups.get(group ?? '') ?? 0) + 1)
    }
  } catch {
    return Math.ceil(count / batchSize) // what is wrong with an example is reported by the epoch that reads it
  }
  return [...groups.values()].reduce((sum, size) => sum + Math.ceil(size / batchSize), 0)
}

/** A batch with the weights of its examples, where they are weighted. */
export function weightedBatch(items: readonly Encoded[], batch: Batch): Batch {
  if (items.every(({ weight }) => weight === undefined)) return batch
  const values = Float32Array.from(items, ({ weight = 1 }) => weight)
  return { ...batch, exampleWeights: { shape: [items.length], dtype: 'float32', values } }
}

/** A batch of encoded examples, in parts of at most `microBatchSize`. */
export function makeReady(
  objective: Objective,
  items: readonly Encoded[],
  microBatchSize: number,
  random: () => number,
): ReadyBatch {
  const count = Math.ceil(items.length / microBatchSize)
  const slices = Array.from({ length: count }, (_, i) => items.slice(i * microBatchSize, (i + 1) * microBatchSize))
  return {
    parts: slices.map((slice) => weightedBatch(slice, objective.collate(slice, random))),
    examples: items.length,
    tokens: items.reduce((sum, item) => sum + item.length, 0),
  }
}

/** How an epoch's examples become batches. */
export interface EpochOptions {
  /** The epoch's randomness: `fold(key(seed), 'epoch', epoch)`. */
  readonly key: Key
  readonly batchSize: number
  /** Examples of one part of a batch. Default: all, a batch has one part. */
  readonly microBatchSize?: number
  /** Examples held in memory to shuffle among. Default: 10,000. */
  readonly shuffleBuffer?: number
  /** Batches of the epoch to skip, since they were taken already. Default: 0. */
  readonly done?: number
  /** Host work on a batch's examples just before it trains. Default: none. */
  readonly rollout?: ((items: readonly Encoded[], random: () => number) => Promise<readonly Encoded[]>) | undefined
  /** Present if the items come in the order of a sampler; `batches` is true if consecutive ones form batches. */
  readonly sampled?: { readonly batches: boolean } | undefined
}

/** The randomness of a batch's rollout, by its number in the epoch, counted from 0. */
export const rolloutRandom = (key: Key, number: number): (() => number) => stream(deriveKey(key, 'rollout', number))

/** The randomness of a batch's collation, by its number in the epoch, counted from 0. */
export const collateRandom = (key: Key, number: number): (() => number) => stream(deriveKey(key, 'collate', number))

/**
 * The batches of one epoch: shuffled unless a sampler ordered the items, bucketed by length, of one group each, collated. The same key gives the same batches, so that a resumed loop
 * sees what it would have seen.
 * @example
 * for await (const { parts } of epochBatches(items, objective, { key: fold(key(7), 'epoch', 0), batchSize: 16 }))
 *   ({ state } = step.run(state, kept, parts, inputs))
 */
export async function* epochBatches(
  items: AsyncIterable<Encoded>,
  objective: Objective,
  { key, batchSize, microBatchSize = batchSize, shuffleBuffer = 10_000, done = 0, rollout, sampled }: EpochOptions,
): AsyncGenerator<ReadyBatch, void> {
  const ordered = sampled === undefined ? shuffle(items, shuffleBuffer, stream(deriveKey(key, 'shuffle'))) : items
  const batches =
    sampled?.batches === true
      ? batchByGroup(ordered, batchSize)
      : bucketByLength(ordered, { batchSize, buckets: BUCKETS }, stream(deriveKey(key, 'buckets')))
  let number = done
  for await (const batch of skip(batches, done)) {
    const at = number++
    const items = (await rollout?.(batch, rolloutRandom(key, at))) ?? batch
    yield makeReady(objective, items, microBatchSize, collateRandom(key, at))
  }
}
