import { join } from 'node:path'
import {
  type Adapted,
  type Batch,
  AttuneError,
  type HostArray,
  type Objective,
  type Params,
  isHostArray,
  key,
  leaves,
  titleOf,
} from '@attune/core'
import { batch as batchesOf } from '@attune/data'
import { fileRowStore, memoryRowStore } from '../files/row-store.js'
import { WINDOW, batchPositions } from '../inference/infer.js'
import type { Splits } from '../data/open-splits.js'
import type { Plan } from '../plan/plan.js'
import { microBatchSizeOf } from '../plan/run-config.js'
import type { Bus } from '../run/bus.js'
import { collateRandom, encodeAll, encodeRows } from '../step/batches.js'
import { yieldToEventLoop } from '../step/yield-to-event-loop.js'
import type { Components } from './compose.js'
import { fitProgress } from './fit-progress.js'
import { inputRows, notCacheable } from './input-rows.js'
import { type OutputCache, outputCache } from './output-cache.js'
import { type OutputLayout, readOutputs, rowSize } from './output-layout.js'

/** Data and settings of a run whose outputs are cached. */
interface Given {
  readonly plan: Plan
  readonly splits: Splits
}

/** A run whose outputs are cached. */
interface Filled extends Given {
  readonly components: Components
  readonly bus: Pick<Bus, 'emit'>
  readonly runState: { readonly interrupted: string | undefined }
}

/** A batch of examples of one group. */
interface GroupBatch {
  readonly group: string
  readonly batch: Batch
}

/**
 * Batches of all training and validation examples, in an order that depends on the data alone, so that a resumed run computes the same
 * bits.
 */
async function* allBatches({ plan, splits }: Given, objective: Objective): AsyncGenerator<GroupBatch, void> {
  const size = microBatchSizeOf(plan.config.training)
  const encode: Objective['encode'] = (example) => objective.encode(example)
  const all = [encodeRows(splits.train.rows(), encode), encodeAll(splits.validation.examples(), encode)]
  for (const { items } of all)
    for await (const window of batchesOf(items, size * WINDOW))
      for (const positions of batchPositions(window, size)) {
        const chosen = positions.map((position) => window[position]!)
        yield { group: chosen[0]!.group ?? '', batch: objective.collate(chosen) }
      }
}

const inputsOf = (batch: Batch): string =>
  JSON.stringify(leaves(batch.inputs, isHostArray).map(([name, { values }]) => [name, [...values]]))

/** @throws AttuneError `NOT_CACHEABLE` if a batch of the same examples has different inputs each time */
async function requireFixedInputs({ plan, splits }: Given, objective: Objective): Promise<void> {
  const { items } = encodeRows(splits.train.rows(), (example) => objective.encode(example))
  const from = key(plan.config.seed)
  for await (const window of batchesOf(items, microBatchSizeOf(plan.config.training))) {
    const group = window.filter((item) => item.group === window[0]!.group)
    const [first, second] = [0, 1].map((i) => inputsOf(objective.collate(group, collateRandom(from, i))))
    if (first !== second) throw notCacheable('the objective changes the inputs of the model at random in each epoch')
    return
  }
}

/** @throws AttuneError `NOT_CACHEABLE` if the outputs of the model would change during training */
function requireFixedOutputs({ engine, objective }: Components, { trainable }: Adapted): void {
  const made = engine.compile(() => objective.init(key(0)))() as Params
  const inside = Object.keys(trainable).filter((name) => made[name] === undefined)
  engine.release(made)
  if (inside.length > 0)
    throw notCacheable(`expected an adapter that trains the head only, got trainable ${inside.slice(0, 3).join(', ')}`)
  if (objective.trainingLoss !== undefined || objective.needsReference === true)
    throw notCacheable('the training loss of the objective runs the model in its own way')
}

/** Layouts of the outputs that the head reads, over all groups of examples, and the size of all rows in bytes. */
async function planCache(given: Given, components: Components, { model, trainable, frozen }: Adapted) {
  const { engine, objective } = components
  const layouts = new Map<string, OutputLayout>()
  const groups = new Map<string, Batch>()
  const [params, rows] = [
    { ...frozen, ...trainable },
    { count: 0, tokens: 0 },
  ]
  for await (const { group, batch } of allBatches(given, objective)) {
    if (!groups.has(group))
      for (const layout of readOutputs(engine, { model, objective }, params, batch)) layouts.set(layout.name, layout)
    groups.set(group, groups.get(group) ?? batch)
    for (const { start, end } of inputRows(batch.inputs)) {
      rows.count++
      rows.tokens += end - start
    }
  }
  const sizeOf = (tokens: number): number => rowSize([...layouts.values()], { key: '', start: 0, end: tokens })
  const perToken = sizeOf(1) - sizeOf(0)
  return {
    layouts: [...layouts.values()],
    rows: rows.count,
    bytes: Float32Array.BYTES_PER_ELEMENT * (rows.count * sizeOf(0) + rows.tokens * perToken),
    samples: [...groups.values()],
  }
}

/** Location of outputs of a size: `memory`, or a file in the run folder. @throws AttuneError `CACHE_TOO_LARGE` without a folder */
export function cacheLocation(
  { config, directory }: Pick<Given['plan'], 'config' | 'directory'>,
  bytes: number,
): string {
  const { cacheMemory } = config.training
  if (bytes <= cacheMemory * 2 ** 20) return 'memory'
  if (directory !== undefined) return join(directory, 'outputs.cache')
  throw new AttuneError(
    'CACHE_TOO_LARGE',
    `expected outputs of at most ${cacheMemory} MiB (training.cacheMemory), got ${Math.ceil(bytes / 2 ** 20)} MiB, and the run has no folder for them`,
    'Set `directory`, so that they are kept in a file, or raise training.cacheMemory.',
  )
}

/** @throws AttuneError `CACHE_TOO_LARGE` */
function openStore(plan: Given['plan'], bytes: number) {
  const location = cacheLocation(plan, bytes)
  return location === 'memory' ? memoryRowStore() : fileRowStore(location, bytes)
}

/**
 * Opens the cache of a run with `training.cacheOutputs`; undefined without it. The size of all outputs is computed, but no output.
 * @throws AttuneError `NOT_CACHEABLE`, `CACHE_TOO_LARGE`
 */
export async function openCache(
  given: Given,
  components: Components,
  adapted: Adapted,
): Promise<OutputCache | undefined> {
  if (!given.plan.config.training.cacheOutputs) return undefined
  const { engine, objective } = components
  const { model, frozen } = adapted
  requireFixedOutputs(components, adapted)
  await requireFixedInputs(given, objective)
  const { layouts, ...planned } = await planCache(given, components, adapted)
  return outputCache({ engine, model, frozen }, layouts, { ...planned, store: openStore(given.plan, planned.bytes) })
}

/**
 * Computes and stores the outputs of all training and validation examples, until an interruption.
 */
export async function fillCache(
  { plan, splits, components, bus, runState }: Filled,
  cache: OutputCache,
): Promise<void> {
  const report = fitProgress(titleOf(plan.config.model.plugin), bus.emit)
  let done = 0
  for await (const { batch } of allBatches({ plan, splits }, components.objective)) {
    if (runState.interrupted !== undefined) return
    await cache.store(batch)
    await yieldToEventLoop()
    done += (batch.inputs['inputIds'] as HostArray).shape[0]!
    report('rows of outputs cached', done, cache.rows)
  }
}
