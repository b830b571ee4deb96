import { type Clock, install } from '@sinonjs/fake-timers'

/** Timers and the time of day; other functions of the runtime stay real, since test runners use them. */
const FAKED = [
  'Date',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
] as const

/** Replaces timers and the time of day by a clock that stands at `now`, until its `uninstall`. */
export const fakeClock = (now: number): Clock => install({ now, toFake: [...FAKED] })
