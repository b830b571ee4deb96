import type { Observable } from 'rxjs'
import type { Command, RunEvent } from '../events.js'
import { kind } from '../kind.js'

/**
 * An epic: commands out of events. Its state is whatever its operators hold; a resumed run sends it the events so far
 * again, so it must depend on nothing but the events.
 */
export type Callback = (events: Observable<RunEvent>) => Observable<Command>

/** Events to commands. */
export const CALLBACK = kind<Callback>('callback', 'many')
