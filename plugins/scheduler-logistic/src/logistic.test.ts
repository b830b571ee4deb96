import { describeScheduler } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { logistic } from './logistic.js'

describeScheduler(logistic, {
  options: { warmupSteps: 2 },
  golden: {
    source: 'one minus the values of equation 14 of Ganin and Lempitsky, computed with Python',
    cases: [
      { options: {}, steps: 4, expected: [1, 0.1517163600424869, 0.013385701848569465, 0.001105557273847202] },
      { options: { steepness: 2 }, steps: 2, expected: [1, 0.5378828427399902] },
      { options: { warmupRatio: 0.5 }, steps: 4, expected: [0, 0.5, 1, 0.013385701848569465] },
    ],
  },
})

it('rises as the strength of DANN from 0 to 1', () => {
  const [steps, from, to] = [100, 0, 1]
  const strengths = [1, 51, 100].map((step) => to + (from - to) * logistic()(step, steps))
  for (const [i, progress] of [0, 0.5, 0.99].entries())
    expect(strengths[i]).toBeCloseTo(2 / (1 + Math.exp(-10 * progress)) - 1, 12)
})
