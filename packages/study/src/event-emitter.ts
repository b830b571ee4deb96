import type { RunEvent } from '@attune/core'
import type { Untimed } from './events.js'
import type { Folder } from './folder.js'

/** Emits an event without its timestamp. Unless `kept` is false, it is appended to the log. */
export type Emit<E> = (event: Untimed<E>, kept?: boolean) => void

/** An emitter that adds the timestamp, appends to the log of `folder`, and passes each event to `note`, which updates the state, then to `show`. */
export const eventEmitter =
  <E extends RunEvent>(
    folder: Pick<Folder, 'append'>,
    note: (event: RunEvent) => void,
    show: (event: E) => void,
  ): Emit<E> =>
  (untimed, kept = true) => {
    const event = { ...untimed, at: Date.now() } as unknown as E
    if (kept) folder.append(event)
    note(event)
    show(event)
  }
