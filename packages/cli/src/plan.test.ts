import { expect, it } from '@jest/globals'
import { forecastText } from './commands/plan.js'

const estimate = {
  engine: 'a CPU',
  parameters: 100,
  trainableParameters: 100,
  trains: { groups: [] },
  examples: 40,
  steps: 20,
  shapes: [{ shape: '8 × 16', steps: 20 / 3, milliseconds: 30, compiling: 5 }],
  setupSeconds: 1,
  stepSeconds: 0.03,
  evaluationSeconds: 1,
  checkpoint: { seconds: 1, bytes: 10 },
  seconds: 10,
  peakBytes: 10,
  availableBytes: 100,
}

it('the text of an estimate has a row of rollouts only if there are any', () => {
  const text = forecastText({ ...estimate, rollouts: { count: 10, seconds: 0.25 } } as never)
  expect(text).toMatch(/\nrollout +250 ms with the weights before training, 10 in the run *\n/)
  expect(text).toMatch(/\n8 × 16 +7 +30 ms +5 ms/)
  expect(forecastText(estimate as never)).not.toContain('rollout')
})
