import type { Observable } from 'rxjs'
import type { Command, Commands, RunEvent, UntimedEvent } from '../events.js'
import { kind } from '../kind.js'
import type { Params } from '../tree.js'

/** A run as the handler of a command sees it. */
export interface CommandHost {
  readonly step: number
  /** The trainable parameters. They belong to the run: do not dispose of them. */
  readonly trainable: Params
  /** Adds an event to the run's log. */
  record(event: UntimedEvent): void
}

/** Carries out the commands of one type. */
export type CommandHandler<C = Command> = (command: C, host: CommandHost) => void | Promise<void>

/** Handlers by command type. */
export type CommandHandlers = {
  readonly [K in keyof Commands]?: CommandHandler<{ readonly type: K; readonly because: string } & Commands[K]>
}

/**
 * Maps events to commands. Its state is whatever its operators hold; a resumed run sends it the events so far
 * again, so it must depend on nothing but the events.
 */
export interface Callback {
  (events: Observable<RunEvent>): Observable<Command>
  /** Handlers of commands that it adds to {@link Commands}. Built-in commands cannot be replaced. */
  readonly handles?: CommandHandlers
}

/** Events to commands. */
export const CALLBACK = kind<Callback>('callback', 'many')
