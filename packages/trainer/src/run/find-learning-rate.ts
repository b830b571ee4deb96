import { type Command, SCHEDULER, definePlugin, isAttuneError } from '@attune/core'
import { Subject } from 'rxjs'
import { z } from 'zod'
import type { RunOptions } from '../plan/lookup.js'
import type { RunConfig } from '../plan/run-config.js'
import { run } from './run.js'

/** One step of a learning-rate range test. */
export interface RangePoint {
  readonly learningRate: number
  /** Mean loss of the batch before the update. */
  readonly loss: number
  /** Exponential moving average of the losses so far, corrected for its start. */
  readonly smoothed: number
}

/** Result of a learning-rate range test. */
export interface LearningRateRange {
  readonly points: readonly RangePoint[]
  /** Learning rate at which the smoothed loss falls fastest; undefined if it never falls. */
  readonly steepest: number | undefined
  /** Learning rate of the lowest smoothed loss. */
  readonly lowest: number
}

/** Range and number of steps of a learning-rate range test. */
export interface RangeOptions extends RunOptions {
  /** First learning rate. Default: 1e-7. */
  readonly from?: number
  /** Last learning rate. Default: 1. */
  readonly to?: number
  /** Number of steps, 2 or more. Default: 100. */
  readonly steps?: number
  /** Receives each step as it is completed. */
  readonly progress?: (point: RangePoint, step: number) => void
}

/** Weight of the past in the moving average. */
const SMOOTHING = 0.9
/** The test ends early once the smoothed loss exceeds its minimum by this factor. */
const DIVERGED = 4
/** Steps that are not judged, since the average is still noisy. */
const FIRST_STEPS = 10

/** Learning rate at the steepest descent of the smoothed loss over the logarithm of the rate, up to its minimum. */
function steepestOf(points: readonly RangePoint[], end: number): number | undefined {
  let [slope, found]: [number, number | undefined] = [0, undefined]
  for (let i = 1; i < end; i++) {
    const [before, after] = [points[i - 1]!, points[i + 1] ?? points[i]!]
    const fall = (after.smoothed - before.smoothed) / Math.log(after.learningRate / before.learningRate)
    if (fall < slope) [slope, found] = [fall, points[i]!.learningRate]
  }
  return found
}

/**
 * Learning-rate range test: trains from the configuration's start with a learning rate that grows exponentially from `from` to `to`, and
 * records the loss of each step. Nothing is saved; no metric, callback, tracker or schedule of the configuration is used. It ends early
 * once the loss diverges. A learning rate near {@link LearningRateRange.steepest} is a good peak.
 *
 * Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3; the steepest descent from fastai.
 * @throws AttuneError the errors of a run
 *
 * @example
 * ```ts
 * import { findLearningRate } from '@attune/trainer/node'
 * const { points } = await findLearningRate({
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } },
 *   tokenizer: { use: 'word', vocabularySize: 100 },
 *   model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *   objective: 'sequence-classification',
 *   engine: 'tfjs-cpu',
 * }, { from: 0.001, to: 0.1, steps: 3 })
 * console.log(points.map(({ learningRate }) => learningRate.toFixed(3))) // [ '0.001', '0.010', '0.100' ]
 * ```
 */
export async function findLearningRate(
  config: RunConfig,
  { from = 1e-7, to = 1, steps = 100, progress = () => undefined, ...options }: RangeOptions = {},
): Promise<LearningRateRange> {
  const rising = definePlugin({
    kind: SCHEDULER,
    name: 'range-test',
    summary: 'Exponential growth of the learning rate',
    source: 'Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3',
    options: z.strictObject({}),
    create: () => (step) => Math.min(1, (from / to) ** (1 - (step - 1) / (steps - 1))),
  })
  const { directory: _, callback: _callback, tracker: _tracker, metric: _metric, schedule: _schedule, ...rest } = config
  const training = { ...rest.training, learningRate: to, epochs: 100_000, evaluateEvery: 2 * steps }
  const [points, commands] = [[] as RangePoint[], new Subject<Command>()]
  let [average, minimum] = [0, Infinity]
  const add = (loss: number, learningRate: number): void => {
    average = SMOOTHING * average + (1 - SMOOTHING) * loss
    const point = { learningRate, loss, smoothed: average / (1 - SMOOTHING ** (points.length + 1)) }
    points.push(point)
    progress(point, points.length)
    minimum = Math.min(minimum, point.smoothed)
    const diverged = points.length > FIRST_STEPS && point.smoothed > DIVERGED * minimum
    if (points.length >= steps || diverged) commands.next({ type: 'stop', because: 'range test completed' })
  }
  try {
    await run({ ...rest, scheduler: rising, training } as RunConfig, { ...options, commands }).forEach((event) => {
      if (event.type === 'step.completed' && points.length < steps) add(event.loss, event.learningRate)
    })
  } catch (error) {
    // A rate beyond the stable range ends in a loss that is not finite, which is a result of the test.
    if (!isAttuneError(error) || error.code !== 'NON_FINITE_LOSS' || points.length <= FIRST_STEPS) throw error
  }
  const lowest = points.reduce((best, { smoothed }, i) => (smoothed < points[best]!.smoothed ? i : best), 0)
  return { points, steepest: steepestOf(points, lowest + 1), lowest: points[lowest]!.learningRate }
}
