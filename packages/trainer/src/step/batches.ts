import { type Batch, type Encoded, type Example, type Key, type Objective, fold, stream } from '@attune/core'
import { batchByGroup, bucketByLength, map, shuffle, skip } from '@attune/data'
import type { Row } from '../data/rows.js'

/** Batches sorted together by length: enough that rows of a batch are alike, few enough that order stays random. */
const BUCKETS = 32

/** A batch made ready on the host, in the parts that are computed one after another, and what it holds. */
export interface ReadyBatch {
  readonly parts: readonly Batch[]
  readonly examples: number
  readonly tokens: number
}

/** Encodes examples as they come, and counts those that lost their ends. */
export function encodeAll(
  examples: AsyncIterable<Example>,
  encode: (example: Example) => Encoded,
): { readonly items: AsyncIterable<Encoded>; truncated(): number } {
  let truncated = 0
  const items = map(examples, (example) => {
    const item = encode(example)
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
function makeReady(
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
interface Order {
  readonly key: Key
  /** Batches of the epoch that were taken already. */
  readonly done: number
  readonly batchSize: number
  readonly microBatchSize: number
  readonly shuffleBuffer: number
  /** Present if the items come in the order of a sampler; `batches` is true if consecutive ones form batches. */
  readonly sampled?: { readonly batches: boolean } | undefined
}

/**
 * The batches of one epoch, from the one after `done`: shuffled unless a sampler ordered the items, of similar length, of one group
 * each, and the same for the same key, which is
 * what makes a resumed run see what it would have seen.
 */
export async function* epochBatches(
  items: AsyncIterable<Encoded>,
  objective: Objective,
  { key, done, batchSize, microBatchSize, shuffleBuffer, sampled }: Order,
): AsyncGenerator<ReadyBatch, void> {
  const ordered = sampled === undefined ? shuffle(items, shuffleBuffer, stream(fold(key, 'shuffle'))) : items
  const batches =
    sampled?.batches === true
      ? batchByGroup(ordered, batchSize)
      : bucketByLength(ordered, { batchSize, buckets: BUCKETS }, stream(fold(key, 'buckets')))
  let number = done
  for await (const batch of skip(batches, done))
    yield makeReady(objective, batch, microBatchSize, stream(fold(key, 'collate', number++)))
}
