import { Observable } from 'rxjs'
import type { Connection, Timing } from './connection.js'
import type { HubEvent, UnstampedHubEvent, Emit } from './events.js'
import { HUB_LIMITS } from './limits.js'
import { createOperationBudget } from './operation-budget.js'
import { pauseFor, setAlarm } from './pauses.js'
import { redact } from './redact.js'
import { mapErrorTexts, mapStrings } from './redact-error.js'
import { type HubOptions, type HubSettings, hubSettings } from './settings.js'
import { writeFault } from './write-fault.js'

const TIMING: Timing = {
  pause: pauseFor,
  silenceSeconds: HUB_LIMITS.silenceSeconds,
  now: () => performance.now(),
  setAlarm,
}

/** Reads the user's token only when something leaves the package, so that no object holds it. */
function secretsOf({ token }: HubSettings): readonly string[] {
  try {
    const secret = token()
    return secret === undefined ? [] : [secret]
  } catch {
    return [] // an invalid token is never sent to servers
  }
}

/** Redacts an event, except for its folder, which contains no server text and must remain usable. */
function withoutSecrets(event: UnstampedHubEvent, settings: HubSettings): UnstampedHubEvent {
  const texts = Object.entries(event).filter(([key, value]) => key !== 'type' && typeof value !== 'number')
  if (texts.length === 0) return event
  const secrets = secretsOf(settings)
  const changed = Object.fromEntries(texts.filter(([key]) => key !== 'folder'))
  return { ...event, ...(mapStrings(changed, (text) => redact(text, secrets)) as object) }
}

/** Converts an error for callers: redacted, and as an AttuneError if it is a file-system error. */
export function outgoingError(error: unknown, settings: HubSettings): unknown {
  const secrets = secretsOf(settings)
  return mapErrorTexts(writeFault(error, settings.cache), (text) => redact(text, secrets))
}

/** Runs work as a cold Observable of its events; unsubscribing aborts it. Events and errors are redacted. */
export const observe = (
  options: HubOptions,
  work: (connection: Connection) => Promise<void>,
  timing: Partial<Timing> = {},
): Observable<HubEvent> =>
  new Observable((subscriber) => {
    const controller = new AbortController()
    const begin = async (): Promise<void> => {
      const settings = hubSettings(options)
      const emit: Emit = (event) => subscriber.next({ ...withoutSecrets(event, settings), at: Date.now() })
      const budget = createOperationBudget(settings.endpoint)
      await work({ ...TIMING, ...timing, settings, emit, budget, signal: controller.signal }).catch(
        (error: unknown) => {
          throw outgoingError(error, settings)
        },
      )
    }
    begin().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
    return () => controller.abort()
  })
