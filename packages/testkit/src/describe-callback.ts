import type { AnyPlugin, Callback, Command, RunEvent, UntimedEvent } from '@attune/core'
import { Subject, from } from 'rxjs'
import { describeOptions } from './describe-options.js'
import { fakeClock } from './fake-clock.js'
import { afterEach, beforeEach, describe, expect, it } from './runner.js'

/** A sequence of events of a run, and the commands that a callback returns. */
export interface CallbackCase {
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
  /** The suite adds timestamps: one second apart. */
  readonly events: readonly UntimedEvent[]
  /**
   * Expected commands by index of the event. Omitted fields may have any value, and `because` may be an asymmetric matcher such as
   * `expect.stringContaining('0.9')`.
   */
  readonly expected: Readonly<Record<number, readonly Readonly<Record<string, unknown>>[]>>
}

/** A command, and the index of its event: −1 before the first, `events.length` after the last. */
type Emitted = readonly [at: number, command: Command]

/** 1 January 2026. */
const START = 1767225600000

const timed = (events: readonly UntimedEvent[]): RunEvent[] =>
  events.map((event, i) => ({ at: START + 1000 * i, ...event }) as RunEvent)

/** Sends events one by one; returns the commands, and true if the commands complete with the events. */
function drive(callback: Callback, events: readonly RunEvent[]): { given: Emitted[]; completed: boolean } {
  const source = new Subject<RunEvent>()
  const given: Emitted[] = []
  let [at, completed] = [-1, false]
  callback(source).subscribe({ next: (command) => given.push([at, command]), complete: () => (completed = true) })
  for (const event of events) {
    at++
    source.next(event)
  }
  at = events.length
  source.complete()
  return { given, completed }
}

/**
 * Contract of a callback, for each case: returns the expected commands at the expected events, each with a reason; returns the same
 * commands for the same events, at any time of day and however they are delivered, since resuming a run depends on it; shares no
 * state between runs; sets no timer; completes with the events, and emits nothing after.
 */
export function describeCallback(plugin: AnyPlugin, { cases }: { readonly cases: readonly CallbackCase[] }): void {
  describe(`callback ${plugin.name}`, () => {
    let clock: ReturnType<typeof fakeClock>
    beforeEach(() => void (clock = fakeClock(START)))
    afterEach(() => clock.uninstall())
    describeOptions(plugin, cases[0]?.options)

    for (const { name, options, events: untimed, expected } of cases)
      describe(name, () => {
        const events = timed(untimed)
        const make = (): Callback => plugin(options) as Callback

        it('returns the expected commands at the expected events', () => {
          const found: Record<number, Command[]> = {}
          for (const [at, command] of drive(make(), events).given) (found[at] ??= []).push(command)
          expect(found).toEqual(
            Object.fromEntries(
              Object.entries(expected).map(([at, commands]) => [
                at,
                commands.map((each) => expect.objectContaining(each)),
              ]),
            ),
          )
        })

        it('includes a reason in every command', () => {
          for (const [, command] of drive(make(), events).given) expect(command.because).toMatch(/\S/)
        })

        it('returns the same commands for the same events', () => {
          const callback = make()
          const { given } = drive(callback, events)
          clock.setSystemTime(START + 86_400_000)
          expect(drive(callback, events).given).toEqual(given)
          expect(drive(make(), events).given).toEqual(given)
          const atOnce: Command[] = []
          make()(from(events)).subscribe((command) => atOnce.push(command))
          expect(atOnce).toEqual(given.map(([, command]) => command))
        })

        it('shares no state between two runs', () => {
          const callback = make()
          const [first, second] = [new Subject<RunEvent>(), new Subject<RunEvent>()]
          const commands: [Command[], Command[]] = [[], []]
          callback(first).subscribe((command) => commands[0].push(command))
          callback(second).subscribe((command) => commands[1].push(command))
          const commandsOf = (some: readonly RunEvent[]): Command[] =>
            drive(make(), some).given.map(([, command]) => command)
          // The second run starts halfway through the first.
          const half = Math.ceil(events.length / 2)
          events.slice(0, half).forEach((event) => first.next(event))
          expect(commands[1]).toEqual(commandsOf([]))
          events.slice(half).forEach((event, i) => {
            first.next(event)
            second.next(events[i]!)
          })
          events.slice(events.length - half).forEach((event) => second.next(event))
          const alone = commandsOf(events)
          expect(commands).toEqual([alone, alone])
        })

        it('completes with the events, and sets no timer', () => {
          const { given, completed } = drive(make(), events)
          expect(completed).toBe(true)
          expect(clock.countTimers()).toBe(0)
          clock.tick(86_400_000)
          expect(given.filter(([at]) => at >= events.length)).toEqual([])
        })

        it('unsubscribes from the events when its subscriber does', () => {
          const source = new Subject<RunEvent>()
          const listening = make()(source).subscribe()
          events.slice(0, 1).forEach((event) => source.next(event))
          listening.unsubscribe()
          expect(source.observed).toBe(false)
        })
      })
  })
}
