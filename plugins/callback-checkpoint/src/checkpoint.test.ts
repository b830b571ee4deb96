import type { RunEvent } from '@attune/core'
import type { UntimedEvent } from '@attune/core'
import { describeCallback } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { from, lastValueFrom } from 'rxjs'
import { checkpoint } from './checkpoint.js'

const step = (number: number): UntimedEvent => ({
  type: 'step.completed',
  step: number,
  steps: 6,
  epoch: Math.floor((number - 1) / 3),
  loss: 1,
  learningRate: 1e-3,
  gradientNorm: 1,
  examples: 8,
  tokens: 100,
  tokensPerSecond: 100,
  secondsLeft: 1,
})
const epoch = (number: number): UntimedEvent => ({ type: 'epoch.started', epoch: number, step: 3 * number })
const started: UntimedEvent = {
  type: 'run.started',
  seed: 7,
  steps: 6,
  epochs: 2,
  examples: 24,
  parameters: 10,
  trainableParameters: 10,
  engine: 'none',
  scores: { loss: 'minimize', accuracy: 'maximize' },
}
const evaluation = (number: number, loss: number, split = 'validation'): UntimedEvent => ({
  type: 'evaluation.completed',
  step: number,
  split,
  scores: { loss: { value: loss }, accuracy: { value: 1 - loss } },
  examples: 8,
  seconds: 1,
})
const done: UntimedEvent = { type: 'training.completed', step: 6, because: 'finished' }
const save = { type: 'save', because: expect.any(String) }
const saveBest = (...words: string[]) => ({
  type: 'save',
  label: 'best',
  because: expect.stringContaining(words.join(' ')),
})
const run = [started, epoch(0), step(1), step(2), step(3), epoch(1), step(4), step(5), step(6), done]

describeCallback(checkpoint, {
  cases: [
    {
      name: 'saves at the last step of every epoch without options',
      options: {},
      events: run,
      expected: {
        4: [{ type: 'save', because: 'epoch 1 is done' }],
        8: [{ type: 'save', because: 'epoch 2 is done' }],
      },
    },
    {
      name: 'saves every two steps and not at epochs with everySteps alone',
      options: { everySteps: 2 },
      events: run,
      expected: { 3: [save], 6: [save], 8: [save] },
    },
    {
      name: 'saves at steps and epochs with both options',
      options: { everySteps: 2, everyEpoch: true },
      events: run,
      expected: { 3: [save], 4: [save], 6: [save], 8: [save, save] },
    },
    {
      name: 'saves the best loss and restores it',
      options: { best: 'loss' },
      events: [started, evaluation(1, 0.5), evaluation(2, 0.25), evaluation(3, 0.25), evaluation(4, 0.75), done],
      expected: {
        1: [saveBest('loss 0.5 at step 1')],
        2: [saveBest('loss 0.25 at step 2')],
        5: [{ type: 'restore', label: 'best', because: expect.stringContaining('loss 0.25 at step 2') }],
      },
    },
    {
      name: 'maximizes a score whose direction is maximize',
      options: { best: 'accuracy', restoreBest: false },
      events: [started, evaluation(1, 0.5), evaluation(2, 0.75), evaluation(3, 0.25), done],
      expected: { 1: [saveBest('accuracy 0.5')], 3: [saveBest('accuracy 0.75')] },
    },
    {
      name: 'never saves or restores a score that is not finite',
      options: { best: 'loss' },
      events: [started, evaluation(1, Number.NaN), evaluation(2, Infinity), done],
      expected: {},
    },
    {
      name: 'ignores splits other than validation',
      options: { best: 'loss' },
      events: [started, evaluation(1, 0.5, 'test'), done],
      expected: {},
    },
  ],
})

describe('checkpoint', () => {
  it('rejects options that never save', () =>
    expect(() => checkpoint({ everyEpoch: false })).toThrow(/one of `everySteps`, `everyEpoch` and `best`/))

  it('accepts options completed with the defaults, as a resumed run passes them', () =>
    expect(() => checkpoint(checkpoint.options.parse({}))).not.toThrow())

  it('fails at the start of the run if the run does not have the score', async () => {
    const events = from([{ at: 0, ...started } as RunEvent])
    await expect(lastValueFrom(checkpoint({ best: 'acuracy' })(events))).rejects.toMatchObject({
      code: 'UNKNOWN_SCORE',
      problem: expect.stringContaining('got "acuracy"; available: loss, accuracy'),
      remedy: expect.stringContaining('"accuracy"'),
    })
  })
})
