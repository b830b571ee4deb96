import type { Observable, Subscription } from 'rxjs'
import type { RunEvent } from '../events.js'
import { kind } from '../kind.js'

/** Records or displays the events of a run. The returned subscription is closed when the run ends. */
export type Tracker = (events: Observable<RunEvent>) => Subscription

/** Experiment tracking. */
export const TRACKER = kind<Tracker>('tracker', 'many')
