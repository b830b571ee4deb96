import { SCHEDULER, type Scheduler, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeScheduler } from '../describe-scheduler.js'
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** From 1 at the first step down to `last` after the last. */
const falling = definePlugin({
  kind: SCHEDULER,
  name: 'falling',
  summary: 'Falls from 1 along a straight line',
  options: z.strictObject({ last: z.number().min(0).max(1).default(0).describe('The factor after the last step') }),
  create:
    ({ last }): Scheduler =>
    (step, steps) =>
      1 - ((1 - last) * (step - 1)) / steps,
})

const golden = {
  source: 'arithmetic',
  cases: [{ options: { last: 0.5 }, steps: 4, expected: [1, 0.875, 0.75, 0.625] }],
}
const suite = (change?: (factor: Scheduler) => Scheduler) => (): void =>
  describeScheduler(change === undefined ? falling : altered<Scheduler>(falling, change), { golden })

const within = ['gives every step of a run a finite factor within [0, 1]']
const pure = ['is pure: the order of the calls does not matter']
const agrees = ['agrees with arithmetic over 4 steps: {"last":0.5}']

/** Factors as they come, whatever the step: those of a shared list. */
const counting = (factor: Scheduler): Scheduler => {
  let calls = 0
  return (_, steps) => factor((calls++ % steps) + 1, steps)
}

/** Schedulers. */
export const schedulers: readonly Specimen[] = [
  sound('a straight line', suite()),
  broken(
    'no number at the last step of a long run',
    within,
    suite((factor) => (step, steps) => (step === steps && steps > 9 ? NaN : factor(step, steps))),
  ),
  broken(
    'no number in a run of one step',
    within,
    suite((factor) => (step, steps) => (steps === 1 ? (step - 1) / (steps - 1) : factor(step, steps))),
  ),
  broken(
    'more than 1 at the first step',
    within,
    suite((factor) => (step, steps) => factor(step, steps) + (steps === 7 && step === 1 ? 1e-9 : 0)),
  ),
  broken(
    'less than 0 after the middle',
    within,
    suite((factor) => (step, steps) => (steps === 4 ? factor(step, steps) : 1 - (2 * step) / steps)),
  ),
  broken('counts its calls instead of reading the step', pure, suite(counting)),
  broken(
    'a little chance',
    pure,
    suite(
      (factor) => (step, steps) =>
        steps === 4 ? factor(step, steps) : factor(step, steps) * (1 - 1e-3 * Math.random()),
    ),
  ),
  broken(
    'counts steps from 0',
    agrees,
    suite((factor) => (step, steps) => factor(step + 1, steps)),
  ),
  broken('any options will do', uncheckedFails(4), () => describeScheduler(unchecked(falling), { golden })),
]
