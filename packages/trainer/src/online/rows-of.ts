import { AttuneError, type Example } from '@attune/core'
import { type Observable, isObservable } from 'rxjs'

/** Stream of rows: an observable pushes them, an iterable is read on demand. */
export type Rows = Observable<Example> | AsyncIterable<Example> | Iterable<Example>

const tooMany = (maximum: number): AttuneError =>
  new AttuneError(
    'TOO_MANY_WAITING',
    `the observable is faster than the learner: expected at most ${maximum} buffered rows, got more`,
    'Pass the rows as an iterable, which is read on demand; reduce the rate of the observable (sample, throttle); or raise `maximumWaiting`.',
  )

/** Buffers the rows of an observable as an iterable. @throws AttuneError `TOO_MANY_WAITING` */
async function* waitFor(rows: Observable<Example>, maximum: number): AsyncGenerator<Example, void> {
  const waiting: Example[] = []
  let [ended, failure] = [false, [] as unknown[]]
  let wake: () => void = () => undefined
  const end = (...errors: unknown[]): void => {
    if (!ended) [ended, failure] = [true, errors]
    wake()
  }
  const subscription = rows.subscribe({
    next: (row) => {
      if (waiting.length >= maximum) {
        end(tooMany(maximum))
        queueMicrotask(() => subscription.unsubscribe())
      } else if (!ended) waiting.push(row)
      wake()
    },
    error: end,
    complete: () => end(),
  })
  try {
    for (;;) {
      yield* waiting.splice(0)
      if (waiting.length > 0) continue
      if (failure.length > 0) throw failure[0]
      if (ended) return
      await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    subscription.unsubscribe()
  }
}

/**
 * Converts rows to an async iterable.
 * @param maximum maximum number of buffered rows of an observable
 */
export async function* rowsOf(rows: Rows, maximum: number): AsyncGenerator<Example, void> {
  yield* isObservable(rows) ? waitFor(rows, maximum) : rows
}
