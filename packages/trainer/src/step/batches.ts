import { type Batch, type Encoded, type Example, type Key, type Objective, fold, stream } from '@attune/core'
import { bucketByLength, map, shuffle, skip } from '@attune/data'
import { keepFields } from './kept-fields.js'

/** Batches sorted together by length: enough that rows of a batch are alike, few enough that order stays random. */
const BUCKETS = 32

/** A batch made ready on the host, in the parts that are computed one after another, and what it holds. */
export interface ReadyBatch {
  readonly parts: readonly Batch[]
  readonly examples: number
  readonly tokens: number
}

/** Encodes examples as they come, and counts those that were truncated. Items keep the `fields` of their examples, which metrics read. */
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
    parts: slices.map((slice) => objective.collate(slice, random)),
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
}

/**
 * The batches of one epoch, from the one after `done`: shuffled, of like length, and the same for the same key, which is
 * what makes a resumed run see what it would have seen.
 */
export async function* epochBatches(
  items: AsyncIterable<Encoded>,
  objective: Objective,
  { key, done, batchSize, microBatchSize, shuffleBuffer }: Order,
): AsyncGenerator<ReadyBatch, void> {
  const mixed = shuffle(items, shuffleBuffer, stream(fold(key, 'shuffle')))
  const batches = bucketByLength(mixed, { batchSize, buckets: BUCKETS }, stream(fold(key, 'buckets')))
  let number = done
  for await (const batch of skip(batches, done))
    yield makeReady(objective, batch, microBatchSize, stream(fold(key, 'collate', number++)))
}
