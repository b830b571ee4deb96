import type { Observable, Subscription } from 'rxjs'
import type { RunEvent } from '../events.js'
import { kind } from '../kind.js'

/** Keeps or shows events. The subscription it returns is closed when the run ends. */
export type Tracker = (events: Observable<RunEvent>) => Subscription

/** Keeping and showing. */
export const TRACKER = kind<Tracker>('tracker', 'many')
