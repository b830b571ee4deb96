import { AttuneError, type Example } from '@attune/core'
import { type Observable, isObservable } from 'rxjs'

/** Rows as they come: an observable pushes them, an iterable is read at the pace of the learner. */
export type Rows = Observable<Example> | AsyncIterable<Example> | Iterable<Example>

const tooMany = (maximum: number): AttuneError =>
  new AttuneError(
    'TOO_MANY_WAITING',
    `${maximum} rows wait to be learned from, and more came: the observable is faster than the learner`,
    'Give the rows as an iterable, which is read at the pace of the learner; thin the observable out (sample, throttle); or raise `maximumWaiting`.',
  )

/** The rows of an observable as an iterable, with those that wait in memory. @throws AttuneError `TOO_MANY_WAITING` */
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
 * Rows as an iterable.
 * @param maximum rows of an observable that may wait in memory
 */
export async function* rowsOf(rows: Rows, maximum: number): AsyncGenerator<Example, void> {
  yield* isObservable(rows) ? waitFor(rows, maximum) : rows
}
