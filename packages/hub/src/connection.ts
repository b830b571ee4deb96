import type { Emit } from './events.js'
import type { OperationBudget } from './operation-budget.js'
import type { Pause, SetAlarm } from './pauses.js'
import type { HubSettings } from './settings.js'

/** Clock, timers and pauses; tests replace them. */
export interface Timing {
  readonly pause: Pause
  /** Longest time without a byte from a server. */
  readonly silenceSeconds: number
  /** Monotonic time in milliseconds. */
  readonly now: () => number
  readonly setAlarm: SetAlarm
}

/** Context of a request. */
export interface Connection extends Timing {
  readonly settings: HubSettings
  readonly emit: Emit
  readonly signal: AbortSignal
  readonly budget: OperationBudget
}

/**
 * Counts the time since `began` as waiting for a server, at most `maximumSeconds`: a longer time means that the
 * computer was suspended. Returns the counted seconds.
 */
export function countWait({ now, budget }: Connection, began: number, maximumSeconds: number): number {
  const seconds = Math.min((now() - began) / 1000, maximumSeconds)
  budget.wait(seconds)
  return seconds
}
