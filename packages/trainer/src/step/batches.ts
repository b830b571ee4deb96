import {
  type Batch,
  type Encoded,
  type Example,
  type Key,
  type Objective,
  type ScheduledNumbers,
  deriveKey,
  stream,
} from '@attune/core'
import { batch, batchByGroup, bucketByLength, map, shuffle, skip } from '@attune/data'
import type { Row } from '../data/rows.js'
import { hashedFields, keepFields } from './kept-fields.js'

/** Number of batches bucketed together by length: enough for similar lengths within a batch, few enough to keep the order random. */
const BUCKETS = 32

/** A batch on the host, split into micro-batches, with its counts. */
export interface ReadyBatch {
  readonly parts: readonly Batch[]
  readonly examples: number
  readonly tokens: number
}

/**
 * Encodes examples lazily and counts truncated ones. Items keep the `fields` of their examples, for metrics.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { encodeAll } from '@attune/trainer'
 * const { items, truncated } = encodeAll(Readable.from([{ text: 'short' }, { text: 'a long text' }]), ({ text }) => {
 *   const { length } = String(text)
 *   return { length: Math.min(length, 8), truncated: length > 8 }
 * })
 * for await (const { length } of items) console.log(length) // 5, 8
 * console.log(truncated()) // 1
 * ```
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

/** Encodes rows lazily with their weights, and counts truncated ones. Items keep the `fields` of their examples, for regularizers. */
export function encodeRows(
  rows: AsyncIterable<Row>,
  encode: (example: Example) => Encoded,
  fields: readonly string[] = [],
): { readonly items: AsyncIterable<Encoded>; truncated(): number } {
  let truncated = 0
  const items = map(rows, ({ example, weight }) => {
    const item = keepFields(encode(example), example, fields)
    if (item.truncated) truncated++
    return weight === undefined ? item : { ...item, weight }
  })
  return { items, truncated: () => truncated }
}

/**
 * Number of batches in an epoch; every group has its own batches unless they are mixed.
 * @param count number of all items; they are read only if they have groups
 */
export async function countBatches(
  items: () => AsyncIterable<Encoded>,
  count: number,
  batchSize: number,
  isMixed = false,
): Promise<number> {
  if (isMixed) return Math.ceil(count / batchSize)
  const groups = new Map<string, number>()
  try {
    for await (const { group } of items()) {
      if (group === undefined && groups.size === 0) return Math.ceil(count / batchSize)
      groups.set(group ?? '', (groups.get(group ?? '') ?? 0) + 1)
    }
  } catch {
    return Math.ceil(count / batchSize) // an invalid example is reported by the epoch that reads it
  }
  return [...groups.values()].reduce((sum, size) => sum + Math.ceil(size / batchSize), 0)
}

/** Adds to a batch the weights of its examples, if they are weighted, and the fields that they keep, hashed, under `fields`. */
export function weightedBatch(items: readonly Encoded[], batch: Batch): Batch {
  const fields = hashedFields(items)
  const whole = Object.keys(fields).length === 0 ? batch : { ...batch, fields }
  if (items.every(({ weight }) => weight === undefined)) return whole
  const values = Float32Array.from(items, ({ weight = 1 }) => weight)
  return { ...whole, exampleWeights: { shape: [items.length], dtype: 'float32', values } }
}

/** Collates encoded examples into micro-batches of at most `microBatchSize`. */
export function collateBatch(
  objective: Objective,
  items: readonly Encoded[],
  microBatchSize: number,
  random: () => number,
  numbers?: ScheduledNumbers,
): ReadyBatch {
  const count = Math.ceil(items.length / microBatchSize)
  const slices = Array.from({ length: count }, (_, i) => items.slice(i * microBatchSize, (i + 1) * microBatchSize))
  return {
    parts: slices.map((slice) => weightedBatch(slice, objective.collate(slice, random, numbers))),
    examples: items.length,
    tokens: items.reduce((sum, item) => sum + item.length, 0),
  }
}

/** Options for batching the examples of an epoch. */
export interface EpochOptions {
  /** Random key of the epoch: `deriveKey(key(seed), 'epoch', epoch)`. */
  readonly key: Key
  readonly batchSize: number
  /** Examples per micro-batch. Default: the batch size. */
  readonly microBatchSize?: number
  /** Size of the shuffle buffer in examples. Default: 10,000. */
  readonly shuffleBuffer?: number
  /** Number of steps to skip, already done in this epoch. Default: 0. */
  readonly done?: number
  /** Number of steps on each batch, after one rollout; each collates it again. Default: 1. */
  readonly updates?: number
  /** Rollout on the host for a batch's examples before training on it. Default: none. */
  readonly rollout?: ((items: readonly Encoded[], random: () => number) => Promise<readonly Encoded[]>) | undefined
  /** Present if the items are in sampler order; `batches` is that of the sampler. */
  readonly sampled?: { readonly batches: boolean | 'mixed' } | undefined
  /** Scheduled options of collation by the index of the step in the epoch, from 0. Default: none. */
  readonly numbersAt?: ((index: number) => ScheduledNumbers) | undefined
}

/** Random generator of a batch's rollout, by its index in the epoch, from 0. */
export const rolloutRandom = (key: Key, number: number): (() => number) => stream(deriveKey(key, 'rollout', number))

/** Random generator of a batch's collation, by the index of its step in the epoch, from 0. */
export const collateRandom = (key: Key, number: number): (() => number) => stream(deriveKey(key, 'collate', number))

/**
 * Yields the batches of one epoch: shuffled unless a sampler ordered the items, bucketed by length, with one group per batch unless
 * a sampler mixes them, and collated.
 * The same key yields the same batches, so a resumed loop sees the same data.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { key } from '@attune/core'
 * import { sequenceClassification } from '@attune/objective-sequence-classification'
 * import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
 * import { encodeAll, epochBatches } from '@attune/trainer'
 * const objective = sequenceClassification({ labels: ['no', 'yes'] }, { model: tinyModel(), tokenizer: tinyTokenizer() })
 * const rows = Readable.from([{ text: 'a', label: 'no' }, { text: 'b', label: 'yes' }, { text: 'c', label: 'no' }])
 * const { items } = encodeAll(rows, (example) => objective.encode(example))
 * for await (const { examples } of epochBatches(items, objective, { key: key(7), batchSize: 2 })) console.log(examples) // 2, then 1
 * ```
 */
export async function* epochBatches(
  items: AsyncIterable<Encoded>,
  objective: Objective,
  {
    key,
    batchSize,
    microBatchSize = batchSize,
    shuffleBuffer = 10_000,
    done = 0,
    updates = 1,
    rollout,
    sampled,
    numbersAt,
  }: EpochOptions,
): AsyncGenerator<ReadyBatch, void> {
  const ordered = sampled === undefined ? shuffle(items, shuffleBuffer, stream(deriveKey(key, 'shuffle'))) : items
  const batchesOf = {
    false: () => bucketByLength(ordered, { batchSize, buckets: BUCKETS }, stream(deriveKey(key, 'buckets'))),
    true: () => batchByGroup(ordered, batchSize),
    mixed: () => batch(ordered, batchSize),
  }[`${sampled?.batches ?? false}`]
  let number = done
  for await (const chosen of skip(batchesOf(), Math.floor(done / updates))) {
    const items = (await rollout?.(chosen, rolloutRandom(key, Math.floor(number / updates)))) ?? chosen
    do {
      const random = collateRandom(key, number)
      const numbers = numbersAt?.(number)
      number++
      yield collateBatch(objective, items, microBatchSize, random, numbers)
    } while (number % updates !== 0)
  }
}
