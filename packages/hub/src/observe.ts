import { Observable } from 'rxjs'
import type { HubEvent, Tell } from './events.js'
import { type Pause, pauseFor } from './pauses.js'

/** How long to wait for what. */
export interface Observed {
  readonly pause: Pause
  readonly silenceSeconds: number
}

const PATIENCE: Observed = { pause: pauseFor, silenceSeconds: 60 }

/** Work as a cold Observable of what happens in it; unsubscribing calls it off. */
export const observe = (
  work: (parts: Observed & { readonly tell: Tell; readonly signal: AbortSignal }) => Promise<void>,
  observed: Observed = PATIENCE,
): Observable<HubEvent> =>
  new Observable((subscriber) => {
    const controller = new AbortController()
    const tell: Tell = (happening) => subscriber.next({ ...happening, at: Date.now() })
    work({ ...observed, tell, signal: controller.signal }).then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    )
    return () => controller.abort()
  })
