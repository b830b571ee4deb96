import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { count } from '@attune/data'
import { type ReadyBatch, encodeAll } from '../step/batches.js'
import { openTrial } from './open-trial.js'
import { tensorSources, writeCheckpoint } from '../files/checkpoint.js'
import { type Group, groupByShape } from './group-by-shape.js'
import { closeSession } from '../setup/open.js'
import type { RunOptions } from '../plan/lookup.js'
import { planRun } from '../plan/plan.js'
import { cacheLocation } from '../setup/open-cache.js'
import { cacheItems, timeCaching } from './estimate-caching.js'
import { type RunConfig, microBatchSizeOf } from '../plan/run-config.js'
import { score } from './score.js'
import type { Session } from '../setup/session.js'
import type { TrainingMap } from '../setup/training-map.js'
import { takeStep } from './train.js'

/** Measured steps on batches of one shape. Times are in milliseconds. */
export interface ShapeEstimate {
  /** Shape of the inputs of each micro-batch: `32 × 64`. */
  readonly shape: string
  /** Number of steps of this shape per epoch; extrapolated from the measured rollouts if the objective has rollouts. */
  readonly steps: number
  /** Time of one step; absent if there was too little memory to measure it. */
  readonly milliseconds?: number
  /** Additional time of the first step, for compilation. */
  readonly compiling?: number
}

/**
 * Estimated time and memory of a run. Memory is the peak of the whole process, in bytes, without that of writing a checkpoint, which is at
 * most the size of the largest tensor.
 */
export interface Estimate {
  readonly engine: string
  readonly parameters: number
  /** Number of values that train; those that a mask of the adapter freezes are not counted. */
  readonly trainableParameters: number
  /** Numbers of values that train, by layer group and kind of parameter. */
  readonly trains: TrainingMap
  readonly examples: number
  readonly steps: number
  readonly shapes: readonly ShapeEstimate[]
  /** Time to open the data, fit plugins and start the engine. */
  readonly setupSeconds: number
  /** Time of a step, without the rollout. */
  readonly stepSeconds: number
  /**
   * Rollouts, such as the completions of GRPO: their number, and the mean time of one with the weights before training. Training may change
   * the lengths of completions, and with them the time.
   */
  readonly rollouts?: { readonly count: number; readonly seconds: number }
  /** Time of one evaluation on the validation split. */
  readonly evaluationSeconds: number
  readonly checkpoint: { readonly seconds: number; readonly bytes: number }
  /** Outputs of a frozen model, with `training.cacheOutputs`: their size, where they are kept, and the time to compute them once. */
  readonly cache?: { readonly bytes: number; readonly location: string; readonly seconds: number }
  /** Total time without checkpoints; absent if there is too little memory. */
  readonly seconds?: number
  readonly peakBytes: number
  /** Available memory at the start of the estimate. */
  readonly availableBytes: number
}

/** Options of {@link estimateRun}. */
export interface EstimateOptions extends RunOptions {
  /** Called before each shape is measured. */
  readonly progress?: (trial: number, trials: number, shape: string) => void
}

const TIMED_ROUNDS = 2
const EVALUATED_BATCHES = 16

/** Measurement of one shape. */
interface Trial {
  readonly group: Group
  /** Time in milliseconds of the first step, and of the timed steps in total. */
  readonly first: number
  /** Time to compute the outputs of the batch for the cache. */
  readonly caching: number
  total: number
}

/** Measures the time of a step in milliseconds. */
async function timeStep(session: Session, batch: ReadyBatch): Promise<number> {
  const elapsed = { milliseconds: 0, steps: 0 }
  await takeStep(session, batch, 0, elapsed)
  return elapsed.milliseconds
}

/**
 * Extrapolates the growth of memory from shape to shape, which is proportional to the difference of their sizes. The
 * first shape also takes memory that no size changes, such as that of the gradients, so only the later ones count, if
 * there are any.
 */
function memoryGrowth() {
  let [largest, bytesPerValue, count] = [0, 0, 0]
  return {
    add(size: number, bytes: number): void {
      const rate = bytes / Math.max(1, size - largest)
      bytesPerValue = count++ === 1 ? rate : Math.max(bytesPerValue, rate)
      largest = Math.max(largest, size)
    },
    /** Additional memory in bytes for a larger shape. */
    expected: (size: number): number => bytesPerValue * (size - largest),
  }
}

/**
 * Measures steps of each shape while memory lasts: two warm-up steps, which show the memory use, then the timed steps, alternating
 * between shapes as in a run, since a compiled step is slower after a step of another shape. The smallest shape comes first. If the
 * largest certainly fits, it is next: memory that grows from shape to shape is fragmented, and its peak exceeds that of the run.
 */
async function measureSteps(session: Session, groups: readonly Group[], progress: EstimateOptions['progress']) {
  const trials = new Map<Group, Trial>()
  const growth = memoryGrowth()
  let missing = 0
  const measure = async (group: Group): Promise<void> => {
    const { batch, size } = group
    const before = process.memoryUsage().rss
    const caching = await timeCaching(session.cache, batch.parts)
    trials.set(group, { group, caching, first: await timeStep(session, batch), total: 0 })
    await timeStep(session, batch)
    growth.add(size, process.memoryUsage().rss - before)
  }
  const fits = ({ size }: Group): boolean => missing === 0 && growth.expected(size) <= process.availableMemory()
  const left = [...groups]
  for (let group = left.shift(); group !== undefined; group = left.shift()) {
    progress?.(groups.length - left.length, groups.length, group.shape)
    if (trials.size === 0 || fits(group)) await measure(group)
    else missing = growth.expected(group.size)
    if (trials.size === 1 && left.length > 0 && fits(left.at(-1)!)) left.reverse()
  }
  for (let round = 0; round < TIMED_ROUNDS; round++)
    for (const trial of trials.values()) trial.total += await timeStep(session, trial.group.batch)
  const shapes = groups.map((group): ShapeEstimate => {
    const { shape, steps } = group
    const trial = trials.get(group)
    if (trial === undefined) return { shape, steps }
    const milliseconds = trial.total / TIMED_ROUNDS
    return { shape, steps, milliseconds, compiling: Math.max(0, trial.first - milliseconds) }
  })
  const cachingSeconds = [...trials.values()].reduce(
    (sum, { group, caching }) => sum + (group.steps * caching) / 1000,
    0,
  )
  return { shapes, missing, cachingSeconds }
}

async function* take<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T, void> {
  let taken = 0
  for await (const item of items) {
    if (taken++ === count) return
    yield item
  }
}

/** Evaluates a part of the validation split twice: once to compile, once to measure the time. */
async function measureEvaluation(session: Session) {
  const { plan, components, splits, adapted, inference, runState } = session
  const params = { ...adapted.frozen, ...runState.state.trainable }
  const limit = EVALUATED_BATCHES * microBatchSizeOf(plan.config.training)
  const part = () => encodeAll(take(splits.validation.examples(), limit), (row) => components.objective.encode(row))
  const caching = await cacheItems(session, part().items)
  const scored = async (): Promise<{ seconds: number; examples: number }> => {
    const begun = performance.now()
    const { items } = part()
    const { examples } = await score(inference, components.objective, components.metrics, params, items)
    return { seconds: (performance.now() - begun) / 1000, examples }
  }
  const first = await scored()
  const { seconds, examples } = await scored()
  const all = await count(splits.validation.examples())
  const whole = (measured: number): number => (measured / examples) * all
  return {
    seconds: whole(seconds),
    compiling: Math.max(0, first.seconds - seconds),
    cachingSeconds: whole(caching),
  }
}

/** Measures writing a checkpoint to a temporary folder. */
async function measureCheckpoint({ components, runState }: Session): Promise<{ seconds: number; bytes: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'attune-estimate-'))
  const begun = performance.now()
  try {
    const tensors = tensorSources(components.engine, runState.state)
    const { bytes } = await writeCheckpoint(folder, tensors, { progress: runState.progress })
    return { seconds: (performance.now() - begun) / 1000, bytes }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Measures the components of a run and extrapolates to the whole run. */
async function measureRun(session: Session, setupSeconds: number, progress: EstimateOptions['progress']) {
  const { groups, rollouts } = await groupByShape(session)
  // Before the steps, which take more memory: a checkpoint then does not add to the peak.
  const checkpoint = await measureCheckpoint(session)
  const { shapes, missing, cachingSeconds } = await measureSteps(session, groups, progress)
  const evaluation = await measureEvaluation(session)
  const { epochs, evaluateEvery } = session.plan.config.training
  const evaluations = evaluateEvery === 'epoch' ? epochs : Math.floor(session.steps / evaluateEvery)
  const sum = (of: (shape: ShapeEstimate) => number): number => shapes.reduce((total, each) => total + of(each), 0)
  const tried = sum(({ steps, milliseconds }) => (milliseconds === undefined ? 0 : steps))
  const epochSeconds = sum(({ steps, milliseconds = 0 }) => steps * milliseconds) / 1000
  const cachedSeconds = cachingSeconds + evaluation.cachingSeconds
  const rolloutSeconds = rollouts === undefined ? 0 : rollouts.count * rollouts.each + rollouts.compiling
  const seconds =
    setupSeconds +
    cachedSeconds +
    rolloutSeconds +
    epochs * epochSeconds +
    sum(({ compiling = 0 }) => compiling) / 1000 +
    evaluations * evaluation.seconds +
    evaluation.compiling
  return {
    shapes,
    setupSeconds,
    stepSeconds: epochSeconds / tried,
    ...(rollouts === undefined ? {} : { rollouts: { count: rollouts.count, seconds: rollouts.each } }),
    evaluationSeconds: evaluation.seconds,
    checkpoint,
    peakBytes: process.resourceUsage().maxRSS * 1024 + missing,
    cachedSeconds,
    ...(shapes.every(({ milliseconds }) => milliseconds !== undefined) ? { seconds } : {}),
  }
}

/**
 * Estimates the time and memory of a run. Each batch shape of the first epoch is trained on for a few steps, smallest first, and a part
 * of the validation split is evaluated; nothing is saved. Of an objective with rollouts, such as GRPO, the first three batches are generated,
 * and their shapes are taken for those of the epoch. A shape that would not fit in the available memory is not measured; its memory
 * is extrapolated from the smaller shapes.
 *
 * Memory is measured for the whole process, so call this in a process that does nothing else.
 */
export async function estimateRun(config: RunConfig, options: EstimateOptions = {}): Promise<Estimate> {
  const begun = performance.now()
  const availableBytes = process.availableMemory() + process.memoryUsage().rss
  const plan = await planRun(config, options)
  const { session, facts, trains } = await openTrial(plan, options)
  try {
    const { components, learned, steps, cache } = session
    const kept = cache && { bytes: cache.bytes, location: cacheLocation(plan, cache.bytes) }
    const measured = await measureRun(session, (performance.now() - begun) / 1000, options.progress)
    const { cachedSeconds, ...found } = measured
    return {
      engine: components.engine.device,
      ...facts,
      trains,
      examples: learned.examples,
      steps,
      ...found,
      ...(kept === undefined ? {} : { cache: { ...kept, seconds: cachedSeconds } }),
      availableBytes,
    }
  } finally {
    await closeSession(session)
  }
}
