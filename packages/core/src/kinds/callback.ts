import type { Observable } from 'rxjs'
import type { Command, Commands, RunEvent, UntimedEvent } from '../events.js'
import { kind } from '../kind.js'
import type { Params } from '../tree.js'

/** The run, as passed to a command handler. */
export interface CommandHost {
  readonly step: number
  /** The trainable parameters, owned by the run: do not dispose of them. */
  readonly trainable: Params
  /** Adds an event to the run's log. */
  record(event: UntimedEvent): void
}

/** Executes the commands of one type. */
export type CommandHandler<C = Command> = (command: C, host: CommandHost) => void | Promise<void>

/** Handlers by command type. */
export type CommandHandlers = {
  readonly [K in keyof Commands]?: CommandHandler<{ readonly type: K; readonly because: string } & Commands[K]>
}

/**
 * Maps events to commands. Its only state is that of its operators. A resumed run replays all earlier events, so the commands
 * must depend on the events alone.
 */
export interface Callback {
  (events: Observable<RunEvent>): Observable<Command>
  /** Handlers of the commands that the plugin adds to {@link Commands}. Built-in commands cannot be overridden. */
  readonly handles?: CommandHandlers
}

/** Callbacks: map the events of a run to commands. */
export const CALLBACK = kind<Callback>('callback', 'many')
