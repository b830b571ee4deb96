import type { Callback, Command, RunEvent, Tracker, UntimedEvent } from '@attune/core'
import { Subject, Subscription } from 'rxjs'
import type { RunLog } from '../files/run-log.js'
import { type Handlers, handlersOf } from './commands.js'

/** Delivers a run's events to callbacks, trackers and the log, and collects commands. */
export interface Bus {
  /** Pending commands, in order. */
  readonly commands: Command[]
  /** Handlers of the callbacks' custom commands. */
  readonly handlers: Handlers
  /** @throws AttuneError `CANNOT_WRITE` if the run has a log that cannot be written */
  emit(event: UntimedEvent): void
  /** Replays a past event to the callbacks, and drops their commands, which were already executed. */
  replay(event: RunEvent): void
  /** Error of a callback, if one failed. */
  failure(): unknown
  close(): void
}

/** The part of a log that a bus writes to. */
export type EventLog = Pick<RunLog, 'append' | 'note'>

/** Components that a bus connects. */
export interface BusOptions {
  readonly callbacks?: readonly Callback[]
  readonly trackers?: readonly Tracker[]
  /** Subject that emits events to trackers and other observers. Default: a new one for the trackers. */
  readonly shown?: Subject<RunEvent>
  /** Log that stores every event. Default: none. */
  readonly log?: EventLog | undefined
}

/** Writes events to the log, until a write fails. */
function logWriter(log: EventLog | undefined): (event: RunEvent) => void {
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
 * Creates the event bus of a run or of a custom loop: delivers events to callbacks, trackers and the log, and collects the callbacks'
 * commands for the loop. Delivery is synchronous: it completes before `emit` returns.
 *
 * When to use it: in a custom loop with callbacks (early stopping, checkpoints) and trackers. Emit `run.started`, `step.completed` and
 * `evaluation.completed`, and execute `commands` after each step.
 * @throws AttuneError `COMMAND_HANDLED_TWICE`
 *
 * @example
 * ```ts
 * import { earlyStopping } from '@attune/callback-early-stopping'
 * import { createBus } from '@attune/trainer'
 * const bus = createBus({ callbacks: [earlyStopping({ metric: 'loss', patience: 3 })] })
 * bus.emit({ type: 'epoch.started', epoch: 0, step: 0 })
 * console.log(bus.commands) // []
 * bus.close()
 * ```
 */
export function createBus({ callbacks = [], trackers = [], shown = new Subject(), log }: BusOptions): Bus {
  const handlers = handlersOf(callbacks)
  const [callbackEvents, subscription, commands] = [new Subject<RunEvent>(), new Subscription(), [] as Command[]]
  let failure: unknown
  for (const callback of callbacks)
    subscription.add(
      callback(callbackEvents).subscribe({
        next: (command) => void commands.push(command),
        error: (error: unknown) => (failure ??= error),
      }),
    )
  for (const tracker of trackers) subscription.add(tracker(shown))
  const keep = logWriter(log)
  return {
    commands,
    handlers,
    emit(untimed) {
      const event = { ...untimed, at: Date.now() } as RunEvent
      try {
        keep(event)
      } finally {
        if (event.type !== 'run.resumed') callbackEvents.next(event)
        shown.next(event)
      }
    },
    replay(event) {
      callbackEvents.next(event)
      commands.length = 0
    },
    failure: () => failure,
    close() {
      callbackEvents.complete()
      shown.complete()
      subscription.unsubscribe()
    },
  }
}
