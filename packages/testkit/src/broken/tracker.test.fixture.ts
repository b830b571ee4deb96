import { type RunEvent, type RunEvents, TRACKER, type Tracker, definePlugin } from '@attune/core'
import { type Observable, Subscription } from 'rxjs'
import { z } from 'zod'
import { describeTracker } from '../describe-tracker.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Prints the types of events. */
const types = definePlugin({
  kind: TRACKER,
  name: 'types',
  summary: 'Prints the type of every event',
  options: z.strictObject({ width: z.int().min(1).max(40).default(20).describe('Characters of a type') }),
  create:
    ({ width }): Tracker =>
    (events) =>
      events.subscribe({
        next: ({ type }) => void process.stdout.write(`${type.slice(0, width)}\n`),
        error: () => undefined,
      }),
})

const suite = (change: (track: Tracker) => Tracker) => (): void => describeTracker(altered<Tracker>(types, change))

const takes = 'takes every type of event, unknown ones too, in any order'
const early = 'takes a run that ends before it starts'
const letsGo = 'lets go when it is unsubscribed, at any moment, and twice does no harm'
const failure = 'takes the failure of a run, which is not its own'
const apart = 'keeps two runs apart'

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
  if (!KNOWN.includes(type.split('.')[0]!)) throw new Error(`what is ${type}?`)
}

/** Draws a bar whose length is the loss. */
const bar = (event: RunEvent): void => {
  if (event.type === 'step.completed') process.stdout.write('#'.repeat(event.loss))
}

/** Reads off the first event what it needs at every later one. */
const expectant = (): ((event: RunEvent) => void) => {
  let facts: RunEvents['run.started'] | undefined
  return (event) => {
    if (event.type === 'run.started') facts = event
    process.stdout.write(facts!.engine)
  }
}

/** Lets go of one run when the next begins. */
const single = (track: Tracker): Tracker => {
  let current: Subscription | undefined
  return (events) => {
    current?.unsubscribe()
    return (current = track(events))
  }
}

/** Listens a second time, without a word about failures. */
const deaf =
  (track: Tracker): Tracker =>
  (events) => {
    const other = events.subscribe()
    const subscription = track(events)
    subscription.add(other)
    return subscription
  }

/** Draws again every second, and never stops. */
const ticking =
  (track: Tracker): Tracker =>
  (events: Observable<RunEvent>) => {
    setInterval(() => undefined, 1000)
    return track(events)
  }

const sends = [takes, letsGo, failure]

/** Trackers. */
export const trackers: readonly Specimen[] = [
  sound('types', () => describeTracker(types)),
  broken('throws at an event that it does not know', sends, listening(known)),
  broken('throws at a loss that is no number', sends, listening(bar)),
  broken(
    'takes the first event for the start',
    [letsGo, takes, failure],
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
  broken('takes the failure of a run for its own', [failure], suite(deaf)),
  broken(
    'does not let go',
    [letsGo],
    suite((track) => (events) => {
      track(events)
      const other = new Subscription()
      events.subscribe({ complete: () => other.unsubscribe(), error: () => other.unsubscribe() })
      return other
    }),
  ),
  broken(
    'says that it goes on after the end',
    [takes, early, failure, apart],
    suite((track) => (events) => {
      const other = new Subscription()
      other.add(track(events))
      return other
    }),
  ),
  broken('leaves a timer', [letsGo, failure], suite(ticking)),
  broken('has room for one run', [apart], suite(single)),
  broken('any options will do', uncheckedFails(5), () => describeTracker(unchecked(types))),
]
