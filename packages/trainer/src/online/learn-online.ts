import { type Example, type Score, type Views, isAttuneError } from '@attune/core'
import { batch } from '@attune/data'
import { Observable, Subject, isObservable, takeUntil } from 'rxjs'
import type { Learner } from './learner.js'
import { type Rows, rowsOf } from './rows-of.js'
import { type WindowedScores, windowedScores } from './windowed.js'

/** A batch of a stream that was predicted, scored and then learned from. */
export interface PrequentialEvent {
  /** Steps of the learner so far. */
  readonly step: number
  /** Rows of the stream so far, those left out included. */
  readonly examples: number
  /** Rows of this batch that could not be predicted or learned from, and were left out. */
  readonly failed: number
  /** Mean loss of the batch before the update; NaN where every row was left out. */
  readonly loss: number
  readonly gradientNorm: number
  /** Prequential scores over the whole stream, by metric: every row was predicted before it was learned from. */
  readonly scores: Readonly<Record<string, Score>>
  /** The same over the latest rows only. */
  readonly window: Readonly<Record<string, Score>>
}

/** Options of {@link learnOnline}. */
export interface OnlineOptions {
  /** Rows of a step. Default: 16. */
  readonly batchSize?: number
  /** Rows of the window of scores, rounded up to whole batches. Default: 500. */
  readonly window?: number
  /** Rows of an observable that may wait in memory while the learner is busy. Default: 100,000. */
  readonly maximumWaiting?: number
}

interface Tested {
  readonly example: Example
  readonly prediction: Views
  readonly reference: Views
}

/** Predicts rows; those that cannot be predicted or have no reference are left out. */
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
 * Prequential (test-then-train) online learning: each batch of the stream is predicted, scored, and only then learned from, so that
 * every row serves for both. Memory does not grow with the stream, beyond the state of metrics that keep all scores.
 *
 * A cold stream: subscribing starts it. It completes after the last row; unsubscribing lets the step in flight finish. The learner
 * stays open.
 *
 * Gotchas: a batch waits for `batchSize` rows, or for the end of the stream.
 * @throws AttuneError as the stream's error: what `learn` throws; `TOO_MANY_WAITING`
 * @example
 * learnOnline(learner, rows, { batchSize: 16, window: 500 }).subscribe(({ step, window }) => console.log(step, window.accuracy))
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
