import { setTimeout as wait } from 'node:timers/promises'
import { AttuneError } from '@attune/core'
import type { Tell } from './events.js'
import { HUB_LIMITS } from './limits.js'
import type { OperationBudget } from './operation-budget.js'

/** What came of asking once: a result, or why it is worth asking again. */
export type Attempt<T> = { readonly done: T } | Again
export interface Again {
  readonly again: string
  /** What the server asked for with `Retry-After`. */
  readonly afterSeconds?: number | undefined
  /** Whether something was gained, so that patience begins anew. */
  readonly gained?: boolean
}

/** How long to wait between attempts; tests give one that does not. */
export type Pause = (seconds: number, signal: AbortSignal) => Promise<void>

/** A timer that can be restarted. */
export interface Alarm {
  /** Starts the time again, also after the timer has fired. */
  restart(): void
  stop(): void
}

/** Starts a timer that calls `ring`; tests fire it themselves. */
export type SetAlarm = (seconds: number, ring: () => void) => Alarm

/** Starts a timer of the system. */
export const setAlarm: SetAlarm = (seconds, ring) => {
  const timer = setTimeout(ring, seconds * 1000)
  return { restart: () => void timer.refresh(), stop: () => clearTimeout(timer) }
}

/** Waits for a time, or until it is called off. */
export const pauseFor: Pause = (seconds, signal) => wait(seconds * 1000, undefined, { signal })

/** The seconds that a `Retry-After` header asks for: a number, or a date. */
export function retryAfterSeconds(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Number(header)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000)
}

/** Half a second, then twice as long each time; a random part of it, so that many who failed together do not return together. */
const backoffSeconds = (failures: number): number => 0.5 * 2 ** (failures - 1) * (0.5 + Math.random() / 2)

/** Everything that waiting between attempts needs. */
interface Patience {
  readonly tell: Tell
  readonly pause: Pause
  readonly signal: AbortSignal
  readonly budget: Pick<OperationBudget, 'wait'>
}

/**
 * Asks until there is a result, at most `HUB_LIMITS.attempts` times in a row in vain.
 * @throws AttuneError `HUB_UNREACHABLE` in the end; what an attempt throws is thrown at once
 */
export async function persist<T>(
  what: string,
  attempt: () => Promise<Attempt<T>>,
  { tell, pause, signal, budget }: Patience,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted()
    const outcome = await attempt()
    if ('done' in outcome) return outcome.done
    if (outcome.gained === true) failures = 1
    if (failures >= HUB_LIMITS.attempts)
      throw new AttuneError(
        'HUB_UNREACHABLE',
        `${what} failed ${failures} times in a row: ${outcome.again}`,
        'Check the connection and HF_ENDPOINT, and repeat the command: what came already is kept.',
      )
    const pauseSeconds = Math.min(outcome.afterSeconds ?? backoffSeconds(failures), HUB_LIMITS.pauseSeconds)
    budget.wait(pauseSeconds)
    tell({ type: 'request.retried', because: outcome.again, pauseSeconds })
    await pause(pauseSeconds, signal)
  }
}
