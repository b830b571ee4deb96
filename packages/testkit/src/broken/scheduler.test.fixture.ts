import { SCHEDULER, type Scheduler, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeScheduler } from '../describe-scheduler.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** Linear decay from 1 at the first step to `last` after the last. */
const falling = definePlugin({
  kind: SCHEDULER,
  name: 'falling',
  summary: 'Linear decay from 1',
  options: z.strictObject({ last: z.number().min(0).max(1).default(0).describe('Factor after the last step') }),
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

const within = ['returns a finite factor within [0, 1] for every step of a run']
const pure = ['is pure: the order of the calls does not matter']
const agrees = ['agrees with arithmetic over 4 steps: {"last":0.5}']

/** Ignores the step, and counts its calls instead. */
const counting = (factor: Scheduler): Scheduler => {
  let calls = 0
  return (_, steps) => factor((calls++ % steps) + 1, steps)
}

/** Scheduler specimens. */
export const schedulers: readonly Specimen[] = [
  valid('linear decay', suite()),
  broken(
    'returns NaN at the last step of a long run',
    within,
    suite((factor) => (step, steps) => (step === steps && steps > 9 ? NaN : factor(step, steps))),
  ),
  broken(
    'returns NaN in a run of one step',
    within,
    suite((factor) => (step, steps) => (steps === 1 ? (step - 1) / (steps - 1) : factor(step, steps))),
  ),
  broken(
    'exceeds 1 at the first step',
    within,
    suite((factor) => (step, steps) => factor(step, steps) + (steps === 7 && step === 1 ? 1e-9 : 0)),
  ),
  broken(
    'is negative after the middle',
    within,
    suite((factor) => (step, steps) => (steps === 4 ? factor(step, steps) : 1 - (2 * step) / steps)),
  ),
  broken('counts its calls instead of reading the step', pure, suite(counting)),
  broken(
    'adds random noise',
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
  broken('accepts any options', uncheckedFails(4), () => describeScheduler(unchecked(falling), { golden })),
]
