import { type Example, type Score, type Views, isAttuneError } from '@attune/core'
import { batch } from '@attune/data'
import { Observable, Subject, isObservable, takeUntil } from 'rxjs'
import type { Learner } from './learner.js'
import { type Rows, rowsOf } from './rows-of.js'
import { type WindowedScores, windowedScores } from './windowed.js'

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
}

/** Options of {@link learnOnline}. */
export interface OnlineOptions {
  /** Rows per step. Default: 16. */
  readonly batchSize?: number
  /** Size of the sliding window for scores in rows, rounded up to whole batches. Default: 500. */
  readonly window?: number
  /** Maximum number of rows of an observable that are buffered in memory. Default: 100,000. */
  readonly maximumWaiting?: number
}

interface Tested {
  readonly example: Example
  readonly prediction: Views
  readonly reference: Views
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

/** Tests and then trains on one batch. */
async function turn(learner: Learner, examples: readonly Example[], scored: WindowedScores) {
  const tested = await test(learner, examples)
  if (tested.length === 0) return { loss: Number.NaN, gradientNorm: Number.NaN, failed: examples.length }
  scored.add(
    tested.map(({ prediction }) => prediction),
    tested.map(({ reference }) => reference),
    tested.map(({ example }) => example),
  )
  const { loss, gradientNorm } = await learner.learn(tested.map(({ example }) => example))
  return { loss, gradientNorm, failed: examples.length - tested.length }
}

/**
 * Prequential (test-then-train) online learning: each batch of the stream is predicted, scored, and only then trained on, so every row
 * serves both evaluation and training. Memory is constant, except for metrics that store all scores.
 *
 * Returns a cold stream: subscribing starts it. It completes after the last row; unsubscribing lets the current step finish. The learner
 * stays open.
 *
 * Gotchas: a batch waits for `batchSize` rows, or for the end of the stream.
 * @throws AttuneError as the stream's error: the errors of `learn`; `TOO_MANY_WAITING`
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
export const learnOnline = (
  learner: Learner,
  rows: Rows,
  { batchSize = 16, window = 500, maximumWaiting = 100_000 }: OnlineOptions = {},
): Observable<PrequentialEvent> =>
  new Observable((subscriber) => {
    const scored = windowedScores(learner.metrics, window)
    const left = new Subject<void>()
    const source = rowsOf(isObservable(rows) ? rows.pipe(takeUntil(left)) : rows, maximumWaiting)
    let seen = 0
    const work = async (): Promise<void> => {
      for await (const examples of batch(source, batchSize)) {
        if (subscriber.closed) return
        const taken = await turn(learner, examples, scored)
        seen += examples.length
        subscriber.next({
          step: learner.step,
          examples: seen,
          ...taken,
          scores: scored.overall(),
          window: scored.latest(),
        })
      }
    }
    work().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
    return () => left.next()
  })
