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
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Ends a run whose loss is beyond a limit. */
const limit = definePlugin({
  kind: CALLBACK,
  name: 'limit',
  summary: 'Stops when the loss is beyond a limit',
  options: z.strictObject({ loss: z.number().positive().default(10).describe('The limit') }),
  create:
    ({ loss: most }): Callback =>
    (events) =>
      events.pipe(
        on('step.completed'),
        filter(({ loss }) => loss > most),
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
    name: 'a loss that explodes',
    options: { loss: 5 },
    events: [{ type: 'epoch.started', epoch: 0, step: 0 }, step(1, 1), step(6, 2), step(7, 3), step(8, 4)],
    expected: { 2: [{ type: 'stop', because: 'a loss of 6' }] },
  },
]
const suite =
  (change: (callback: Callback) => Callback, of = cases) =>
  (): void =>
    describeCallback(altered<Callback>(limit, change), { cases: of })

const expected = 'commands what is expected, when it is expected'
const why = 'says why of every command'
const again = 'commands the same when the same events are sent again'
const apart = 'keeps two runs apart'
const ends = 'ends with the events, and sets no timer'
const letsGo = 'lets go of the events when nobody listens any more'

const anyReason: readonly CallbackCase[] = cases.map((each) => ({ ...each, expected: { 2: [{ type: 'stop' }] } }))
const because = (reason: () => string) =>
  suite(
    (callback) => (events) => callback(events).pipe(map((command) => ({ ...command, because: reason() }))),
    anyReason,
  )

/** Commands from the second run on: how many there were is kept between them. */
const counting = (callback: Callback): Callback => {
  let runs = 0
  return (events) => (++runs > 1 ? callback(events).pipe(skip(1)) : callback(events))
}

/** One stream of commands for all runs. */
const shared = (callback: Callback): Callback => {
  let commands: Observable<Command> | undefined
  return (events) => (commands ??= callback(events).pipe(share()))
}

/** Passes events on by hand, and does not stop doing so. */
const forwarded = (events: Observable<RunEvent>): Observable<RunEvent> =>
  new Observable((subscriber) => {
    events.subscribe({ next: (event) => subscriber.next(event), complete: () => subscriber.complete() })
  })

/** Callbacks. */
export const callbacks: readonly Specimen[] = [
  sound('a limit', () => describeCallback(limit, { cases })),
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
    'goes on commanding',
    [expected],
    suite((callback) => (events) => merge(callback(events), callback(events.pipe(skip(3))))),
  ),
  broken(
    'gives no reason',
    [why],
    because(() => ''),
  ),
  broken(
    'tells the time in its reason',
    [again],
    because(() => `at ${Date.now()}`),
  ),
  broken('counts the runs', [again, apart], suite(counting)),
  broken('commands all runs at once', [again, apart], suite(shared)),
  broken(
    'sets a timer',
    [ends],
    suite((callback) => (events) => merge(callback(events), timer(1000).pipe(ignoreElements()))),
  ),
  broken(
    'does not end',
    [ends],
    suite((callback) => (events) => merge(callback(events), NEVER)),
  ),
  broken(
    'commands after the end',
    [ends, expected, apart],
    suite(
      (callback) => (events) =>
        concat(events.pipe(ignoreElements()), callback(of()), of({ type: 'stop', because: 'the end' } as const)),
    ),
  ),
  broken(
    'listens on',
    [letsGo],
    suite((callback) => (events) => callback(forwarded(events))),
  ),
  broken('any options will do', uncheckedFails(3), () => describeCallback(unchecked(limit), { cases })),
]
