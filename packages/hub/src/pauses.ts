import { setTimeout as wait } from 'node:timers/promises'
import { AttuneError } from '@attune/core'
import type { Emit } from './events.js'
import { HUB_LIMITS } from './limits.js'
import type { OperationBudget } from './operation-budget.js'

/** Outcome of an attempt: a result, or the reason to retry. */
export type Attempt<T> = { readonly done: T } | Retry
export interface Retry {
  readonly retryReason: string
  /** Pause requested by the server with `Retry-After`. */
  readonly afterSeconds?: number | undefined
  /** True if there was progress, which resets the count of failures. */
  readonly gained?: boolean
}

/** Waits between attempts; tests replace it. */
export type Pause = (seconds: number, signal: AbortSignal) => Promise<void>

/** A timer that can be restarted. */
export interface Alarm {
  /** Restarts the timer, also after it has fired. */
  restart(): void
  stop(): void
}

/** Starts a timer that calls `ring`; tests fire it themselves. */
export type SetAlarm = (seconds: number, ring: () => void) => Alarm

/** Starts a system timer. */
export const setAlarm: SetAlarm = (seconds, ring) => {
  const timer = setTimeout(ring, seconds * 1000)
  return { restart: () => void timer.refresh(), stop: () => clearTimeout(timer) }
}

/** Waits for a time, or until it is aborted. */
export const pauseFor: Pause = (seconds, signal) => wait(seconds * 1000, undefined, { signal })

/** Parses a `Retry-After` header, a number of seconds or a date, to seconds. */
export function retryAfterSeconds(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Number(header)
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000)
}

/** Exponential backoff from 0.5 s, with jitter, so that clients that failed together do not return together. */
const backoffSeconds = (failures: number): number => 0.5 * 2 ** (failures - 1) * (0.5 + Math.random() / 2)

/** Context of the pauses between attempts. */
interface Patience {
  readonly emit: Emit
  readonly pause: Pause
  readonly signal: AbortSignal
  readonly budget: Pick<OperationBudget, 'wait'>
}

/**
 * Retries until there is a result, with at most `HUB_LIMITS.attempts` consecutive failures.
 * @throws AttuneError `HUB_UNREACHABLE` after the last attempt; exceptions of an attempt are thrown at once
 */
export async function retry<T>(
  what: string,
  attempt: () => Promise<Attempt<T>>,
  { emit, pause, signal, budget }: Patience,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted()
    const outcome = await attempt()
    if ('done' in outcome) return outcome.done
    if (outcome.gained === true) failures = 1
    if (failures >= HUB_LIMITS.attempts)
      throw new AttuneError(
        'HUB_UNREACHABLE',
        `${what} failed ${failures} times in a row: ${outcome.retryReason}`,
        'Check the connection and HF_ENDPOINT, and repeat the command. Partial downloads are kept.',
      )
    const pauseSeconds = Math.min(outcome.afterSeconds ?? backoffSeconds(failures), HUB_LIMITS.pauseSeconds)
    budget.wait(pauseSeconds)
    emit({ type: 'request.retried', because: outcome.retryReason, pauseSeconds })
    await pause(pauseSeconds, signal)
  }
}
