import type { EventOf, RunEvent } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { NOTHING, type Progress, follow, progressLine, smoothed } from './progress.js'

const started: RunEvent = {
  type: 'run.started',
  at: 0,
  seed: 1,
  steps: 1000,
  epochs: 4,
  examples: 100,
  parameters: 1,
  trainableParameters: 1,
  engine: 'none',
  scores: { loss: 'minimize', accuracy: 'maximize' },
}
const step = (number: number, loss: number, steps = 1000): EventOf<'step.completed'> => ({
  type: 'step.completed',
  at: number,
  step: number,
  steps,
  epoch: Math.floor((4 * (number - 1)) / steps),
  loss,
  learningRate: 5e-5,
  gradientNorm: 1,
  examples: 8,
  tokens: 100,
  tokensPerSecond: 8123.4,
  secondsLeft: 130,
})
const after = (...events: RunEvent[]): Progress => events.reduce(follow, NOTHING)
const lossAfter = (losses: readonly number[], steps = 1000): number =>
  smoothed(after(started, ...losses.map((loss, i) => step(i + 1, loss, steps))).loss!)

describe('smoothed', () => {
  it('returns a constant loss from the first step on', () => {
    expect(lossAfter([0.5])).toBe(0.5)
    expect(lossAfter(new Array<number>(300).fill(0.5))).toBeCloseTo(0.5, 12)
  })

  it('is the mean weighted by 0.98 to the power of the age, over fifty steps in long runs', () => {
    const losses = [3, 1, 2]
    const weights = [0.98 ** 2, 0.98, 1]
    const expected = (3 * weights[0]! + weights[1]! + 2) / (weights[0]! + weights[1]! + 1)
    expect(lossAfter(losses)).toBeCloseTo(expected, 12)
  })

  it('returns the last loss in runs of up to twenty steps', () => expect(lossAfter([3, 1, 2], 20)).toBe(2))

  it('returns a loss that is not finite, and drops it when finite losses follow', () => {
    expect(lossAfter([1, Number.NaN])).toBeNaN()
    expect(lossAfter([1, Number.NaN, 1])).toBe(1)
    expect(lossAfter([Infinity])).toBe(Infinity)
  })
})

describe('the points of the curve', () => {
  it('are every step of a short run, and fewer than 1100 equidistant steps of a long one', () => {
    const run = (steps: number) =>
      after(started, ...Array.from({ length: steps }, (_, i) => step(i + 1, 1, steps))).training
    expect(run(50).map(([at]) => at)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    const long = run(20_000).map(([at]) => at)
    expect(long.length).toBeLessThan(1100)
    expect(long.length).toBeGreaterThan(500)
    const gaps = long.slice(1).map((at, i) => at - long[i]!)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(64)
  })

  it('contain the loss of the validation split only', () => {
    const evaluation = (split: string, at: number): RunEvent => ({
      type: 'evaluation.completed',
      at,
      step: at,
      split,
      scores: { loss: { value: at } },
      examples: 1,
      seconds: 1,
    })
    expect(after(started, evaluation('validation', 5), evaluation('test', 6)).validation).toEqual([[5, 5]])
  })
})

describe('progressLine', () => {
  const progress = after(started, step(500, 0.43214))

  it('shows epoch, step, loss, learning rate, speed and remaining time', () =>
    expect(progressLine(progress, 120, false)).toBe(
      'epoch 2/4  step 500/1,000  loss 0.4321  learning rate 5.00e-5  8,123 tokens/s  2 min 10 s left',
    ))

  it('always fits, and drops the learning rate first and the loss last', () => {
    for (let columns = 10; columns < 150; columns++)
      expect(progressLine(progress, columns, true).length).toBeLessThan(columns)
    expect(progressLine(progress, 90, false)).toMatch(/tokens\/s.*left$/)
    expect(progressLine(progress, 90, false)).not.toMatch(/learning rate/)
    expect(progressLine(progress, 30, false)).toBe('step 500/1,000  loss 0.4321')
  })

  it('draws a bar as long as the completed fraction', () => {
    const drawn = progressLine(progress, 130, true)
    expect(drawn).toMatch(/^█+░+ {2}epoch/)
    expect(drawn.match(/█/g)).toHaveLength(drawn.match(/░/g)!.length)
  })

  it('shows the activity between steps, even before the first step', () => {
    const scoring = follow(after(started), { type: 'evaluation.started', at: 1, step: 0, split: 'validation' })
    expect(progressLine(scoring, 80, false)).toBe('epoch 1/4  step 0/1,000  scoring validation …')
  })

  it('shows no loss right after a run was resumed', () => {
    const resumed = after({ ...started, type: 'run.resumed', step: 500, checkpoint: 'checkpoints/500' })
    expect(progressLine(resumed, 80, false)).toBe('epoch 1/4  step 500/1,000')
  })
})
