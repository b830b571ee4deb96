import type { Callback, Command, RunEvent, RunEvents, Tracker, Unstamped } from '@attune/core'
import { Subject, Subscription } from 'rxjs'
import type { RunLog } from '../files/run-log.js'

/** An event before it has a time. */
export type Happening = Unstamped<RunEvents>

/** Carries a run's events to callbacks, trackers and the log, and commands back. */
export interface Bus {
  /** Commands not yet obeyed, in the order in which they were given. */
  readonly commands: Command[]
  /** @throws AttuneError `CANNOT_WRITE` if the run has a log that cannot be written */
  emit(happening: Happening): void
  /** Passes an event of the past to the callbacks, and drops what they command: it was obeyed then. */
  replay(event: RunEvent): void
  /** The error with which a callback ended, if one did. */
  failure(): unknown
  close(): void
}

/** Keeps events in the log, which is left alone once it could not be written. */
function keeper(log: RunLog | undefined): (event: RunEvent) => void {
  let open = log
  return (event) => {
    const current = open
    open = undefined
    if (event.type === 'run.resumed') current?.note(event)
    else current?.append(event)
    open = current
  }
}

/**
 * Connects callbacks and trackers to `shown`, where events appear, and to the run's log. Everything is delivered before `emit`
 * returns.
 */
export function createBus(
  callbacks: readonly Callback[],
  trackers: readonly Tracker[],
  shown: Subject<RunEvent>,
  log?: RunLog,
): Bus {
  const [heard, subscription, commands] = [new Subject<RunEvent>(), new Subscription(), [] as Command[]]
  let failure: unknown
  for (const callback of callbacks)
    subscription.add(
      callback(heard).subscribe({
        next: (command) => void commands.push(command),
        error: (error: unknown) => (failure ??= error),
      }),
    )
  for (const tracker of trackers) subscription.add(tracker(shown))
  const keep = keeper(log)
  return {
    commands,
    emit(happening) {
      const event = { ...happening, at: Date.now() } as RunEvent
      try {
        keep(event)
      } finally {
        if (event.type !== 'run.resumed') heard.next(event)
        shown.next(event)
      }
    },
    replay(event) {
      heard.next(event)
      commands.length = 0
    },
    failure: () => failure,
    close() {
      heard.complete()
      shown.complete()
      subscription.unsubscribe()
    },
  }
}
