import { type RunEvent, type RunEvents, TRACKER, type Tracker, definePlugin } from '@attune/core'
import { type Observable, Subscription } from 'rxjs'
import { z } from 'zod'
import { describeTracker } from '../describe-tracker.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Prints event types. */
const types = definePlugin({
  kind: TRACKER,
  name: 'types',
  summary: 'Prints the type of every event',
  options: z.strictObject({
    width: z.int().min(1).max(40).default(20).describe('Maximum number of characters of a type'),
  }),
  create:
    ({ width }): Tracker =>
    (events) =>
      events.subscribe({
        next: ({ type }) => void process.stdout.write(`${type.slice(0, width)}\n`),
        error: () => undefined,
      }),
})

const suite = (change: (track: Tracker) => Tracker) => (): void => describeTracker(altered<Tracker>(types, change))

const takes = 'handles every event type, including unknown ones, in any order'
const early = 'handles an empty run'
const unsubscribes = 'unsubscribes from the events at any time, also twice'
const failure = 'handles the failure of a run'
const apart = 'shares no state between two runs'

const listening = (next: (event: RunEvent) => void, complete = (): void => undefined) =>
  suite(() => (events) => events.subscribe({ next, complete, error: () => undefined }))

const KNOWN: readonly string[] = [
  'run',
  'rows',
  'texts',
  'epoch',
  'step',
  'evaluation',
  'checkpoint',
  'command',
  'training',
]
const known = ({ type }: RunEvent): void => {
  if (!KNOWN.includes(type.split('.')[0]!)) throw new Error(`unknown event type ${type}`)
}

/** Prints a bar whose length is the loss. */
const bar = (event: RunEvent): void => {
  if (event.type === 'step.completed') process.stdout.write('#'.repeat(event.loss))
}

/** Requires the facts of the first event at every later one. */
const expectant = (): ((event: RunEvent) => void) => {
  let facts: RunEvents['run.started'] | undefined
  return (event) => {
    if (event.type === 'run.started') facts = event
    process.stdout.write(facts!.engine)
  }
}

/** Unsubscribes from one run when the next starts. */
const single = (track: Tracker): Tracker => {
  let current: Subscription | undefined
  return (events) => {
    current?.unsubscribe()
    return (current = track(events))
  }
}

/** Subscribes a second time, without an error handler. */
const deaf =
  (track: Tracker): Tracker =>
  (events) => {
    const other = events.subscribe()
    const subscription = track(events)
    subscription.add(other)
    return subscription
  }

/** Sets an interval and never clears it. */
const ticking =
  (track: Tracker): Tracker =>
  (events: Observable<RunEvent>) => {
    setInterval(() => undefined, 1000)
    return track(events)
  }

const sends = [takes, unsubscribes, failure]

/** Tracker specimens. */
export const trackers: readonly Specimen[] = [
  valid('types', () => describeTracker(types)),
  broken('throws at an unknown event', sends, listening(known)),
  broken('throws at a loss that is not finite', sends, listening(bar)),
  broken(
    'requires the start event first',
    [unsubscribes, takes, failure],
    suite(() => (events) => events.subscribe({ next: expectant(), error: () => undefined })),
  ),
  broken(
    'throws at the end of an empty run',
    [early, apart, takes],
    listening(
      () => undefined,
      () => {
        throw new Error('nothing came')
      },
    ),
  ),
  broken('does not handle the failure of a run', [failure], suite(deaf)),
  broken(
    'does not unsubscribe',
    [unsubscribes],
    suite((track) => (events) => {
      track(events)
      const other = new Subscription()
      events.subscribe({ complete: () => other.unsubscribe(), error: () => other.unsubscribe() })
      return other
    }),
  ),
  broken(
    'stays open after the events complete',
    [takes, early, failure, apart],
    suite((track) => (events) => {
      const other = new Subscription()
      other.add(track(events))
      return other
    }),
  ),
  broken('leaves a timer running', [unsubscribes, failure], suite(ticking)),
  broken('supports only one run at a time', [apart], suite(single)),
  broken('accepts any options', uncheckedFails(5), () => describeTracker(unchecked(types))),
]
