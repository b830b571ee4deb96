import { type Example, type Score, deriveKey, isAttuneError, key, stream } from '@attune/core'
import { batch } from '@attune/data'
import { Observable, Subject, isObservable, takeUntil } from 'rxjs'
import type { DriftDetector, DriftSignal } from './drift/drift-detector.js'
import { type Predicted, watchDrift } from './drift/watch-drift.js'
import { fadedScores } from './faded.js'
import type { Learner } from './learner.js'
import { type ProbeScores, forgettingProbes } from './probes.js'
import { reservoir } from './reservoir.js'
import { type Rows, rowsOf } from './rows-of.js'
import { windowedScores } from './windowed.js'

/** Report on a batch of a stream that was predicted, scored and then trained on. */
export interface PrequentialEvent {
  /** Number of steps of the learner so far. */
  readonly step: number
  /** Number of rows of the stream so far, including skipped rows. */
  readonly examples: number
  /** Number of rows of this batch that were skipped because they could not be predicted or trained on. */
  readonly failed: number
  /** Mean loss of the batch before the update; NaN if every row was skipped. */
  readonly loss: number
  readonly gradientNorm: number
  /** Prequential scores over the whole stream, by metric: every row is predicted before it is trained on. */
  readonly scores: Readonly<Record<string, Score>>
  /** Prequential scores over the latest rows only. */
  readonly window: Readonly<Record<string, Score>>
  /** Prequential scores with the fading factor, by metric; present if one is set. */
  readonly faded?: Readonly<Record<string, number>>
  /** Signal of the drift detector for this batch; absent if it is stable. */
  readonly drift?: 'warning' | 'drift'
  /** Number of rows of the batch that were trained on, and of replayed rows. */
  readonly trained: number
  readonly replayed: number
  /** Scores on the probes and what was forgotten of them; present after the steps at which they are scored. */
  readonly probes?: Readonly<Record<string, ProbeScores>>
}

/** Drift detection on the errors of the predictions, and the reaction to drift. */
export interface DriftOptions {
  /** For example `adwin({ direction: 'up' })`, `ddm()` or `pageHinkley({ direction: 'up' })`. */
  readonly detector: DriftDetector
  /** Metric whose error of each row is passed to the detector. Default: the first of the configuration. */
  readonly metric?: string
  /** True to restart the schedules at drift, so that the learning rate is high again. Default: true. */
  readonly restartSchedule?: boolean
  /** True to clear the replay buffer at drift, where old rows contradict the new concept. Default: false. */
  readonly clearReplay?: boolean
  /** Number of additional rows that are replayed in the step at drift. Default: 0. */
  readonly replayRows?: number
}

/** Replay of earlier rows against forgetting: a uniform sample of the stream is kept, and a part of it trains in each step. */
export interface ReplayOptions {
  /** Maximum number of rows in the buffer. */
  readonly capacity: number
  /** Number of rows replayed in each step. */
  readonly rows: number
  /** Seed of the buffer. Default: 0. */
  readonly seed?: number
}

/** Options of {@link learnOnline}. */
export interface OnlineOptions {
  /** Rows per step. Default: 16. */
  readonly batchSize?: number
  /** Size of the sliding window for scores in rows, rounded up to whole batches. Default: 500. */
  readonly window?: number
  /** Maximum number of rows of an observable that are buffered in memory. Default: 100,000. */
  readonly maximumWaiting?: number
  /** Fading factor in (0, 1] of additional prequential scores: 0.99 counts about the latest 100 rows. Default: none. */
  readonly fading?: number
  /** Default: no drift detection. */
  readonly drift?: DriftOptions
  /** Default: no replay. */
  readonly replay?: ReplayOptions
  /**
   * Budget of an update: the maximum number of rows of a step, new rows first, then replayed ones. Rows beyond it are predicted and
   * scored, but not trained on. Default: no limit.
   */
  readonly maximumRowsPerStep?: number
  /** Rows of earlier concepts by name, on which forgetting is measured. They are never trained on. Default: none. */
  readonly probes?: Readonly<Record<string, readonly Example[]>>
  /** Number of batches from one scoring of the probes to the next; they are also scored before the first batch and after drift. Default: 10. */
  readonly probeEvery?: number
}

interface Tested extends Predicted {
  readonly example: Example
}

/** Predicts rows, skipping rows that cannot be predicted or have no reference. */
async function test(learner: Learner, examples: readonly Example[]): Promise<readonly Tested[]> {
  const answers = await learner.predict(examples)
  return examples.flatMap((example, i): Tested[] => {
    const prediction = answers[i]!
    if (isAttuneError(prediction)) return []
    try {
      return [{ example, prediction, reference: learner.reference(example) }]
    } catch (error) {
      if (isAttuneError(error)) return [] // a row without a known label
      throw error
    }
  })
}

/** Chooses the rows of a step within the budget, and keeps rows for replay. */
function rowChoice({ replay, drift, maximumRowsPerStep = Infinity }: OnlineOptions) {
  const buffer = replay && reservoir(replay.capacity, stream(deriveKey(key(replay.seed ?? 0), 'replay')))
  return (examples: readonly Example[], signal: DriftSignal) => {
    const isDrift = signal === 'drift'
    if (isDrift && drift?.clearReplay === true) buffer?.clear()
    const fresh = examples.slice(0, maximumRowsPerStep)
    const wanted = (replay?.rows ?? 0) + (isDrift ? (drift?.replayRows ?? 0) : 0)
    const replayed = buffer?.sample(Math.min(wanted, maximumRowsPerStep - fresh.length)) ?? []
    for (const example of examples) buffer?.add(example)
    return { fresh, replayed }
  }
}

/** Returns a function that tests and then trains on one batch. */
function turns(learner: Learner, options: OnlineOptions) {
  const { window = 500, fading, drift } = options
  const scored = windowedScores(learner.metrics, window)
  const faded = fading === undefined ? undefined : fadedScores(learner.metrics, fading)
  const signalOf = drift && watchDrift(learner.metrics, drift.detector, drift.metric)
  const choose = rowChoice(options)
  const learn = async (tested: readonly Tested[], examples: number) => {
    if (tested.length === 0)
      return { loss: Number.NaN, gradientNorm: Number.NaN, failed: examples, trained: 0, replayed: 0 }
    const rows = tested.map(({ example }) => example)
    const [predictions, references] = [tested.map((row) => row.prediction), tested.map((row) => row.reference)]
    const ofBatch = scored.add(predictions, references, rows)
    faded?.add(ofBatch, rows.length)
    const signal = signalOf?.(tested) ?? 'stable'
    if (signal === 'drift' && drift?.restartSchedule !== false) await learner.restartSchedule()
    const { fresh, replayed } = choose(rows, signal)
    const { loss, gradientNorm } = await learner.learn([...fresh, ...replayed])
    const counts = { failed: examples - tested.length, trained: fresh.length, replayed: replayed.length }
    return { loss, gradientNorm, ...counts, ...(signal === 'stable' ? {} : { drift: signal }) }
  }
  return async (examples: readonly Example[]) => {
    const taken = await learn(await test(learner, examples), examples.length)
    const scores = { scores: scored.overall(), window: scored.latest() }
    return { ...taken, ...scores, ...(faded === undefined ? {} : { faded: faded.values() }) }
  }
}

/**
 * Prequential (test-then-train) online learning: each batch of the stream is predicted, scored, and only then trained on, so every row
 * serves both evaluation and training. Memory is constant, except for metrics that store all scores.
 *
 * Returns a cold stream: subscribing starts it. It completes after the last row; unsubscribing lets the current step finish. The learner
 * stays open.
 *
 * With `drift`, a detector watches the errors of the predictions; at drift the learning-rate schedule restarts, and earlier rows are
 * replayed or dropped. With `probes`, forgetting of earlier concepts is measured.
 *
 * Gotchas: a batch waits for `batchSize` rows, or for the end of the stream.
 * @throws AttuneError as the stream's error: the errors of `learn`; `TOO_MANY_WAITING`; `UNKNOWN_SCORE`; `BAD_ARGUMENT`
 *
 * @example
 * ```ts
 * import { learnOnline } from '@attune/trainer'
 * import { openLearner } from '@attune/trainer/node'
 * const rows = Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? { text: 'mail', label: 'x' } : { text: 'editor', label: 'y' }))
 * const learner = await openLearner(
 *   { tokenizer: { use: 'word', vocabularySize: 100 }, model: { use: 'mlp', embeddingSize: 8, hiddenSizes: [8] },
 *     objective: 'sequence-classification', engine: 'tfjs-cpu', metric: 'accuracy', training: { learningRate: 0.1 } },
 *   { examples: rows },
 * )
 * learnOnline(learner, rows, { batchSize: 16, window: 16 }).subscribe({
 *   next: ({ step, window }) => console.log(step, Object.keys(window)), // 1 [ 'accuracy' ], then 2 [ 'accuracy' ]
 *   complete: () => void learner.close(),
 * })
 * ```
 */
export const learnOnline = (learner: Learner, rows: Rows, options: OnlineOptions = {}): Observable<PrequentialEvent> =>
  new Observable((subscriber) => {
    const { batchSize = 16, maximumWaiting = 100_000, probes, probeEvery = 10 } = options
    const left = new Subject<void>()
    const source = rowsOf(isObservable(rows) ? rows.pipe(takeUntil(left)) : rows, maximumWaiting)
    const work = async (): Promise<void> => {
      const turn = turns(learner, options)
      const probe = probes && forgettingProbes(probes, learner.metrics)
      await probe?.(learner)
      let [seen, batches] = [0, 0]
      for await (const examples of batch(source, batchSize)) {
        if (subscriber.closed) return
        const taken = await turn(examples)
        const isDue = ++batches % probeEvery === 0 || ('drift' in taken && taken.drift === 'drift')
        const found = isDue ? await probe?.(learner) : undefined
        seen += examples.length
        subscriber.next({
          step: learner.step,
          examples: seen,
          ...taken,
          ...(found === undefined ? {} : { probes: found }),
        })
      }
    }
    work().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
    return () => left.next()
  })
