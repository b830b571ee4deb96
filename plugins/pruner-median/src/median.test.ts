import { readFileSync } from 'node:fs'
import type { Goal, Trial } from '@attune/core'
import { describePruner } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { median } from './median.js'

interface Case {
  readonly direction: Goal['direction']
  readonly startupTrials: number
  readonly warmupSteps: number
  readonly others: readonly (readonly number[])[]
  readonly pruned: readonly boolean[]
  readonly scores: readonly number[]
  readonly decisions: readonly boolean[]
}

const golden = JSON.parse(readFileSync('golden/optuna.json', 'utf8')) as { source: string; cases: readonly Case[] }

const trial = (id: number, state: Trial['state'], values: readonly number[]): Trial => ({
  id,
  choice: {},
  scores: values.map((score, i) => ({ step: i + 1, values: { score } })),
  seconds: 1,
  state,
})

const others = [
  [0, 0.3],
  [0.4, 0.5],
  [0.2, 0.6],
]
describePruner(median, {
  options: { startupTrials: 2 },
  cases: [
    // The running averages at step 2 are 0.15, 0.45 and 0.4.
    { name: 'a trial below the median of the averages', scores: [0.1, 0.39], others, pruned: true },
    { name: 'a trial at the median of the averages', scores: [0.1, 0.4], others, pruned: false },
    { name: 'a trial whose best value was earlier', scores: [0.41, 0.1], others, pruned: false },
    { name: 'a loss above the median', direction: 'minimize', scores: [0.9, 0.41], others, pruned: true },
    { name: 'a loss below the median', direction: 'minimize', scores: [0.9, 0.39], others, pruned: false },
    { name: 'a trial between two', scores: [0.44], others: [[0.3], [0.6]], pruned: true },
    { name: 'a trial while few have completed', scores: [0.1], others: [[0.5]], pruned: false },
    { name: 'a trial without scores', scores: [], others, pruned: false },
    {
      name: 'a trial below the values at the step',
      options: { startupTrials: 2, against: 'value' },
      scores: [0.1, 0.49],
      others,
      pruned: true,
    },
    {
      name: 'a trial before its warm-up is over',
      options: { startupTrials: 2, warmupSteps: 2 },
      scores: [0],
      others,
      pruned: false,
    },
  ],
})

describe('median', () => {
  it(`makes the decisions of ${golden.source} against the values at the step`, () => {
    expect(golden.cases.flatMap(({ decisions }) => decisions).filter(Boolean).length).toBeGreaterThan(50)
    for (const { direction, startupTrials, warmupSteps, others: tables, pruned, scores, decisions } of golden.cases) {
      const pruner = median({ startupTrials, warmupSteps, against: 'value' })
      const known = tables.map((values, i) => trial(i, pruned[i] === true ? 'pruned' : 'completed', values))
      const ours = scores.map((_, i) =>
        pruner(trial(99, 'running', scores.slice(0, i + 1)), known, [{ score: 'score', direction }]),
      )
      expect(ours.map((because) => because !== undefined)).toEqual(decisions)
    }
  })

  it('reports the score and the median', () => {
    const goals = [{ score: 'score', direction: 'minimize' }] as const
    const completed = [0.5, 0.25].map((value, i) => trial(i, 'completed', [value]))
    expect(median({ startupTrials: 2 })(trial(2, 'running', [0.75]), completed, goals)).toBe(
      'score 0.75 at step 1 is worse than the median 0.375 of 2 trials',
    )
  })

  it('continues a trial that is good in one of several goals', () => {
    const both = (id: number, state: Trial['state'], score: number, loss: number): Trial => ({
      ...trial(id, state, []),
      scores: [{ step: 1, values: { score, loss } }],
    })
    const goals = [
      { score: 'score', direction: 'maximize' },
      { score: 'loss', direction: 'minimize' },
    ] as const
    const completed = [both(0, 'completed', 0.5, 0.5), both(1, 'completed', 0.6, 0.4)]
    const pruner = median({ startupTrials: 2 })
    expect(pruner(both(2, 'running', 0.1, 0.1), completed, goals)).toBeUndefined()
    expect(pruner(both(2, 'running', 0.1, 0.9), completed, goals)).toMatch(/^score 0.1 .*; loss 0.9 /)
  })
})
