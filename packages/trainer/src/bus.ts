import type { Callback, Command, RunEvent, RunEvents, Tracker } from '@attune/core'
import { Subject, Subscription } from 'rxjs'

/** An event before it has a time. */
export type Happening = { [K in keyof RunEvents]: { readonly type: K } & RunEvents[K] }[keyof RunEvents]

/** Carries a run's events to whoever listens, and their commands back. */
export interface Bus {
  /** Every event so far but `run.resumed`: what a checkpoint keeps. */
  readonly history: RunEvent[]
  /** Commands not yet obeyed, in the order in which they were given. */
  readonly commands: Command[]
  emit(happening: Happening): void
  /** Lets callbacks hear what was before; their commands of that time were obeyed then and are dropped. */
  replay(history: readonly RunEvent[]): void
  /** The error with which a callback ended, if one did. */
  failure(): unknown
  close(): void
}

/** Connects callbacks and trackers to `shown`, where events appear. Everything is delivered before `emit` returns. */
export function createBus(callbacks: readonly Callback[], trackers: readonly Tracker[], shown: Subject<RunEvent>): Bus {
  const heard = new Subject<RunEvent>()
  const history: RunEvent[] = []
  const commands: Command[] = []
  let failure: unknown
  const subscription = new Subscription()
  for (const callback of callbacks)
    subscription.add(
      callback(heard).subscribe({
        next: (command) => void commands.push(command),
        error: (error: unknown) => (failure ??= error),
      }),
    )
  for (const tracker of trackers) subscription.add(tracker(shown))
  const tell = (event: RunEvent): void => {
    history.push(event)
    heard.next(event)
  }
  return {
    history,
    commands,
    emit(happening) {
      const event = { ...happening, at: Date.now() } as RunEvent
      if (event.type !== 'run.resumed') tell(event)
      shown.next(event)
    },
    replay(past) {
      past.forEach(tell)
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
