import { describe, expect, it } from '@jest/globals'
import { rangeText, schedulesText } from './commands/plot.js'

describe('attune plot schedule', () => {
  it('plots each scheduled option over the steps, with its extremes', () => {
    const text = schedulesText(
      { steps: 100, at: (step) => ({ learningRate: 0.5 * (1 - (step - 1) / 99), 'model.dropout': 0.1 }) },
      80,
    )
    const [rates, dropout] = text.split('\n\n')
    expect(rates).toMatch(/^0\.500\d* ┤⠉?/)
    expect(rates).toMatch(/step 1 +100\n.*learningRate$/)
    expect(dropout).toMatch(/model\.dropout$/)
  })

  it('prints the value of a single step', () =>
    expect(schedulesText({ steps: 1, at: () => ({ learningRate: 0.25 }) }, 80)).toBe(
      'learningRate: 0.2500 at the only step',
    ))
})

describe('attune plot learning-rate', () => {
  const points = [1, 0.9, 0.5, 0.4, 3].map((loss, i) => ({ learningRate: 10 ** (i - 5), loss, smoothed: loss }))

  it('suggests the rate of the steepest descent, and leaves out losses that diverge', () => {
    const text = rangeText({ points, steepest: 1e-3, lowest: 1e-2 }, 80)
    expect(text).toMatch(/^ *1 ┤/)
    expect(text).toMatch(/learning rate 1e-5 +1e-2/)
    expect(text).toContain('--set training.learningRate=1.0e-3')
  })

  it('says so if the loss never falls', () =>
    expect(rangeText({ points: points.slice(0, 2), steepest: undefined, lowest: 1 }, 80)).toContain('never falls'))
})
