import type { Timing } from './connection.js'

/** A clock that tests advance. */
export interface Clock extends Timing {
  /** Time in milliseconds. */
  time: number
  /** Requested pauses in seconds, which take no time. */
  readonly pauses: number[]
  /** Fires all timers. */
  ring(): void
  reset(): void
}

/** Creates a stopped clock. */
export function makeClock(): Clock {
  const rings = new Set<() => void>()
  const clock: Clock = {
    time: 0,
    pauses: [],
    silenceSeconds: 60,
    now: () => clock.time,
    pause: (seconds) => Promise.resolve(void clock.pauses.push(seconds)),
    setAlarm(_, ring) {
      rings.add(ring)
      return { restart: () => undefined, stop: () => void rings.delete(ring) }
    },
    ring: () => rings.forEach((ring) => ring()),
    reset() {
      clock.time = 0
      clock.pauses.length = 0
    },
  }
  return clock
}
