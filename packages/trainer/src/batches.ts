import { type Batch, type Encoded, type Example, type Key, type Objective, fold, stream } from '@attune/core'
import { bucketByLength, map, shuffle, skip } from '@attune/data'

/** Batches sorted together by length: enough that rows of a batch are alike, few enough that order stays random. */
const BUCKETS = 32

/** A batch made ready on the host, and what it holds. */
export interface ReadyBatch {
  readonly batch: Batch
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

/** A batch of encoded examples. */
export const makeReady = (objective: Objective, items: readonly Encoded[], random?: () => number): ReadyBatch => ({
  batch: objective.collate(items, random),
  examples: items.length,
  tokens: items.reduce((sum, item) => sum + item.length, 0),
})

/**
 * The batches of one epoch, from the one after `done`: shuffled, of like length, and the same for the same key, which is
 * what makes a resumed run see what it would have seen.
 */
export async function* epochBatches(
  items: AsyncIterable<Encoded>,
  objective: Objective,
  { key, done, batchSize, shuffleBuffer }: { key: Key; done: number; batchSize: number; shuffleBuffer: number },
): AsyncGenerator<ReadyBatch, void> {
  const mixed = shuffle(items, shuffleBuffer, stream(fold(key, 'shuffle')))
  const batches = bucketByLength(mixed, { batchSize, buckets: BUCKETS }, stream(fold(key, 'buckets')))
  let number = done
  for await (const batch of skip(batches, done))
    yield makeReady(objective, batch, stream(fold(key, 'collate', number++)))
}
