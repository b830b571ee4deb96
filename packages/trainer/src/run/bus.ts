import type { Callback, Command, RunEvent, Tracker, UntimedEvent } from '@attune/core'
import { Subject, Subscription } from 'rxjs'
import type { RunLog } from '../files/run-log.js'
import { type Handlers, handlersOf } from './commands.js'

/** Carries a run's events to callbacks, trackers and the log, and commands back. */
export interface Bus {
  /** Commands not yet carried out, in the order in which they were given. */
  readonly commands: Command[]
  /** Handlers of the commands that the callbacks add. */
  readonly handlers: Handlers
  /** @throws AttuneError `CANNOT_WRITE` if the run has a log that cannot be written */
  emit(event: UntimedEvent): void
  /** Passes an event of the past to the callbacks, and drops their commands, which were carried out then. */
  replay(event: RunEvent): void
  /** The error with which a callback ended, if one did. */
  failure(): unknown
  close(): void
}

/** A log as a bus writes to it. */
export type EventLog = Pick<RunLog, 'append' | 'note'>

/** The parts that a bus connects. */
export interface BusOptions {
  readonly callbacks?: readonly Callback[]
  readonly trackers?: readonly Tracker[]
  /** Where events appear. Default: a subject of its own, which only trackers see. */
  readonly shown?: Subject<RunEvent>
  /** Where every event is kept. Default: nowhere. */
  readonly log?: EventLog | undefined
}

/** Keeps events in the log, which is left alone once it could not be written. */
function keeper(log: EventLog | undefined): (event: RunEvent) => void {
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
 * The event bus of a run or of a custom loop: delivers events to callbacks, trackers and the log, and collects the callbacks'
 * commands for the loop to carry out. Everything is delivered before `emit` returns.
 *
 * When to use it: a loop of your own that callbacks (early stopping, checkpoints) and trackers are to work with. Emit
 * `run.started`, `step.completed` and `evaluation.completed`, and take commands from `commands` after each step.
 * @throws AttuneError `COMMAND_HANDLED_TWICE`
 * @example
 * const bus = createBus({ callbacks: [earlyStopping({ score: 'loss' })], trackers: [console()] })
 */
export function createBus({ callbacks = [], trackers = [], shown = new Subject(), log }: BusOptions): Bus {
  const handlers = handlersOf(callbacks)
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
    handlers,
    emit(untimed) {
      const event = { ...untimed, at: Date.now() } as RunEvent
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
