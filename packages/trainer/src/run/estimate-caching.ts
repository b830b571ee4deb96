import type { Batch, Encoded } from '@attune/core'
import { batchPositions } from '../inference/infer.js'
import { microBatchSizeOf } from '../plan/run-config.js'
import type { OutputCache } from '../setup/output-cache.js'
import type { Session } from '../setup/session.js'

/** Measures the time in milliseconds to compute the outputs of a batch, after a first time that compiles, and stores them. */
export async function timeCaching(cache: OutputCache | undefined, parts: readonly Batch[]): Promise<number> {
  if (cache === undefined) return 0
  for (const part of parts) await cache.complete(part)
  const begun = performance.now()
  for (const part of parts) await cache.complete(part)
  const milliseconds = performance.now() - begun
  for (const part of parts) await cache.store(part)
  return milliseconds
}

/** Stores the outputs of examples, and returns the time in seconds; 0 without a cache. */
export async function cacheItems(session: Session, items: AsyncIterable<Encoded>): Promise<number> {
  const { cache, plan, components } = session
  if (cache === undefined) return 0
  const all: Encoded[] = []
  for await (const item of items) all.push(item)
  const positions = batchPositions(all, microBatchSizeOf(plan.config.training))
  const batches = positions.map((each) => components.objective.collate(each.map((position) => all[position]!)) as Batch)
  const begun = performance.now()
  for (const batch of batches) await cache.store(batch)
  return (performance.now() - begun) / 1000
}
