import { CALLBACK, type Callback, type Command, type RunEvent, type UntimedEvent, definePlugin, on } from '@attune/core'
import {
  NEVER,
  Observable,
  concat,
  filter,
  ignoreElements,
  map,
  merge,
  of,
  pairwise,
  share,
  skip,
  take,
  timer,
} from 'rxjs'
import { z } from 'zod'
import { type CallbackCase, describeCallback } from '../describe-callback.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Stops a run whose loss exceeds a limit. */
const limit = definePlugin({
  kind: CALLBACK,
  name: 'limit',
  summary: 'Stops when the loss exceeds a limit',
  options: z.strictObject({ loss: z.number().positive().default(10).describe('Largest allowed loss') }),
  create:
    ({ loss: max }): Callback =>
    (events) =>
      events.pipe(
        on('step.completed'),
        filter(({ loss }) => loss > max),
        take(1),
        map(({ loss }) => ({ type: 'stop', because: `a loss of ${loss}` })),
      ),
})

const step = (loss: number, number: number): UntimedEvent => ({
  type: 'step.completed',
  step: number,
  steps: 4,
  epoch: 0,
  loss,
  learningRate: 1,
  gradientNorm: 1,
  examples: 1,
  tokens: 1,
  tokensPerSecond: 1,
  secondsLeft: 1,
})
const cases: readonly CallbackCase[] = [
  {
    name: 'a diverging loss',
    options: { loss: 5 },
    events: [{ type: 'epoch.started', epoch: 0, step: 0 }, step(1, 1), step(6, 2), step(7, 3), step(8, 4)],
    expected: { 2: [{ type: 'stop', because: 'a loss of 6' }] },
  },
]
const suite =
  (change: (callback: Callback) => Callback, of = cases) =>
  (): void =>
    describeCallback(altered<Callback>(limit, change), { cases: of })

const expected = 'returns the expected commands at the expected events'
const why = 'includes a reason in every command'
const again = 'returns the same commands for the same events'
const apart = 'shares no state between two runs'
const ends = 'completes with the events, and sets no timer'
const unsubscribes = 'unsubscribes from the events when its subscriber does'

const anyReason: readonly CallbackCase[] = cases.map((each) => ({ ...each, expected: { 2: [{ type: 'stop' }] } }))
const because = (reason: () => string) =>
  suite(
    (callback) => (events) => callback(events).pipe(map((command) => ({ ...command, because: reason() }))),
    anyReason,
  )

/** Drops the first command from the second run on: counts runs across subscriptions. */
const counting = (callback: Callback): Callback => {
  let runs = 0
  return (events) => (++runs > 1 ? callback(events).pipe(skip(1)) : callback(events))
}

/** One stream of commands for all runs. */
const shared = (callback: Callback): Callback => {
  let commands: Observable<Command> | undefined
  return (events) => (commands ??= callback(events).pipe(share()))
}

/** Forwards events without unsubscribing from them. */
const forwarded = (events: Observable<RunEvent>): Observable<RunEvent> =>
  new Observable((subscriber) => {
    events.subscribe({ next: (event) => subscriber.next(event), complete: () => subscriber.complete() })
  })

/** Callback specimens. */
export const callbacks: readonly Specimen[] = [
  valid('a limit', () => describeCallback(limit, { cases })),
  broken(
    'one event late',
    [expected],
    suite(
      (callback) => (events) =>
        callback(
          events.pipe(
            pairwise(),
            map(([before]) => before),
          ),
        ),
    ),
  ),
  broken(
    'repeats its command',
    [expected],
    suite((callback) => (events) => merge(callback(events), callback(events.pipe(skip(3))))),
  ),
  broken(
    'returns no reason',
    [why],
    because(() => ''),
  ),
  broken(
    'includes the time in its reason',
    [again],
    because(() => `at ${Date.now()}`),
  ),
  broken('counts runs', [again, apart], suite(counting)),
  broken('shares one command stream between runs', [again, apart], suite(shared)),
  broken(
    'sets a timer',
    [ends],
    suite((callback) => (events) => merge(callback(events), timer(1000).pipe(ignoreElements()))),
  ),
  broken(
    'does not complete',
    [ends],
    suite((callback) => (events) => merge(callback(events), NEVER)),
  ),
  broken(
    'emits a command after the end',
    [ends, expected, apart],
    suite(
      (callback) => (events) =>
        concat(events.pipe(ignoreElements()), callback(of()), of({ type: 'stop', because: 'the end' } as const)),
    ),
  ),
  broken(
    'does not unsubscribe',
    [unsubscribes],
    suite((callback) => (events) => callback(forwarded(events))),
  ),
  broken('accepts any options', uncheckedFails(3), () => describeCallback(unchecked(limit), { cases })),
]
