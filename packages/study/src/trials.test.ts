import { describe, expect, it } from '@jest/globals'
import type { Goal, RunEvent, Trial } from '@attune/core'
import { bestTrials, withEvent } from './trials.js'

const MAXIMIZE: readonly Goal[] = [{ score: 'accuracy', direction: 'maximize' }]
const BOTH: readonly Goal[] = [...MAXIMIZE, { score: 'loss', direction: 'minimize' }]

const trial = (id: number, accuracy: number, loss = 1, state: Trial['state'] = 'completed'): Trial => ({
  id,
  choice: {},
  scores: [
    { step: 1, values: { accuracy: 0.99, loss: 0 } },
    { step: 2, values: { accuracy, loss } },
  ],
  seconds: 1,
  state,
})

describe('bestTrials', () => {
  it('returns the first completed trial whose last score is the best', () => {
    const trials = [trial(0, 0.5), trial(1, 0.9, 1, 'pruned'), trial(2, 0.7), trial(3, 0.7), trial(4, NaN)]
    expect(bestTrials(trials, MAXIMIZE)).toEqual([2])
    expect(bestTrials(trials, [{ score: 'accuracy', direction: 'minimize' }])).toEqual([0])
    expect(bestTrials([trial(0, 0.5, 1, 'failed')], MAXIMIZE)).toEqual([])
  })

  it('returns the Pareto front for several goals', () =>
    expect(bestTrials([trial(0, 0.5, 0.1), trial(1, 0.9, 0.9), trial(2, 0.9, 0.8), trial(3, 0.4, 0.2)], BOTH)).toEqual([
      0, 2,
    ]))
})

describe('withEvent', () => {
  const fold = (events: readonly object[]): readonly Trial[] => (events as RunEvent[]).reduce(withEvent, [])
  const started = { type: 'trial.started', trial: 0, choice: { a: 1 }, budget: 0.5, memory: [1] }
  const scored = (step: number, score: number) => ({
    type: 'trial.scored',
    trial: 0,
    step,
    values: { score },
    seconds: step,
  })

  it('keeps the scores of a resumed trial up to the step that is evaluated again', () => {
    const events = [
      started,
      scored(2, 0.1),
      scored(4, 0.2),
      { type: 'trial.resumed', trial: 0, step: 2 },
      scored(3, 0.3),
    ]
    expect(fold(events)).toEqual([
      {
        id: 0,
        choice: { a: 1 },
        budget: 0.5,
        state: 'running',
        seconds: 3,
        scores: [
          { step: 2, values: { score: 0.1 } },
          { step: 3, values: { score: 0.3 } },
        ],
      },
    ])
  })

  it('drops all scores of a restarted trial and updates its budget', () => {
    const events = [started, scored(2, 0.1), { type: 'trial.resumed', trial: 0, step: 0, budget: 1 }]
    expect(fold(events)).toMatchObject([{ scores: [], budget: 1, state: 'running' }])
  })
})
