import { type Batch, type Encoded, type Example, type Key, type Objective, fold, stream } from '@attune/core'
import { bucketByLength, map, shuffle, skip } from '@attune/data'

/** Batches sorted together by length: enough that rows of a batch are alike, few enough that order stays random. */
const BUCKETS = 32

/** A batch made ready on the host, in the parts that are computed one after another, and what it holds. */
export interface ReadyBatch {
  readonly parts: readonly Batch[]
  readonly examples: number
  readonly tokens: number
}

/**
 * Encodes examples as they come, and counts the truncated ones.
 * @example
 * const { items, truncated } = encodeAll(source.open(), (example) => objective.encode(example))
 */
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
    parts: slices.map((slice) => objective.collate(slice, random)),
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
}

/** The randomness of a batch's rollout, by its number in the epoch, counted from 0. */
export const rolloutRandom = (key: Key, number: number): (() => number) => stream(fold(key, 'rollout', number))

/** The randomness of a batch's collation, by its number in the epoch, counted from 0. */
export const collateRandom = (key: Key, number: number): (() => number) => stream(fold(key, 'collate', number))

/**
 * The batches of one epoch: shuffled, bucketed by length, collated. The same key gives the same batches, so that a resumed loop
 * sees what it would have seen.
 * @example
 * for await (const { parts } of epochBatches(items, objective, { key: fold(key(7), 'epoch', 0), batchSize: 16 }))
 *   ({ state } = step.run(state, kept, parts, inputs))
 */
export async function* epochBatches(
  items: AsyncIterable<Encoded>,
  objective: Objective,
  { key, batchSize, microBatchSize = batchSize, shuffleBuffer = 10_000, done = 0, rollout }: EpochOptions,
): AsyncGenerator<ReadyBatch, void> {
  const mixed = shuffle(items, shuffleBuffer, stream(fold(key, 'shuffle')))
  const batches = bucketByLength(mixed, { batchSize, buckets: BUCKETS }, stream(fold(key, 'buckets')))
  let number = done
  for await (const batch of skip(batches, done)) {
    const at = number++
    const items = (await rollout?.(batch, rolloutRandom(key, at))) ?? batch
    yield makeReady(objective, items, microBatchSize, collateRandom(key, at))
  }
}
