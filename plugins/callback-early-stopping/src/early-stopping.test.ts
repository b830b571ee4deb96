import type { RunEvent } from '@attune/core'
import { describeCallback, evaluationEvents, startedRun } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { from, lastValueFrom } from 'rxjs'
import { earlyStopping } from './early-stopping.js'

const stop = (...words: string[]) => ({
  type: 'stop',
  because: expect.stringMatching(new RegExp(words.map((word) => word.replaceAll('.', '\\.')).join('.*'))),
})

describeCallback(earlyStopping, {
  cases: [
    {
      name: 'stops once, after two evaluations without a better accuracy',
      options: { metric: 'accuracy', patience: 2 },
      events: evaluationEvents('accuracy', [0.5, 0.7, 0.7, 0.6, 0.5, 0.4]),
      expected: { 4: [stop('accuracy', '0.7,', 'step 200,', '2 evaluations')] },
    },
    {
      name: 'resets the patience after an improvement',
      options: { metric: 'accuracy', patience: 2 },
      events: evaluationEvents('accuracy', [0.5, 0.4, 0.6, 0.5, 0.7, 0.6]),
      expected: {},
    },
    {
      name: 'minimizes the loss, the direction that the run declares',
      options: { metric: 'loss', patience: 1 },
      events: evaluationEvents('loss', [0.9, 0.5, 0.6]),
      expected: { 3: [stop('loss', '0.5,', 'step 200,')] },
    },
    {
      name: 'minimizes another score whose direction is minimize',
      options: { metric: 'error-rate', patience: 1 },
      events: evaluationEvents('error-rate', [0.3, 0.2, 0.25]),
      expected: { 3: [stop('error-rate', '0.2,')] },
    },
    {
      name: 'ignores an improvement that does not exceed minimumImprovement',
      options: { metric: 'accuracy', patience: 2, minimumImprovement: 0.125 },
      events: evaluationEvents('accuracy', [0.5, 0.5625, 0.625]),
      expected: { 3: [stop('accuracy', '0.5,', 'step 100,')] },
    },
    {
      name: 'accumulates small improvements',
      options: { metric: 'accuracy', patience: 2, minimumImprovement: 0.125 },
      events: evaluationEvents('accuracy', [0.5, 0.5625, 0.6875, 0.75, 0.875]),
      expected: {},
    },
    {
      name: 'counts NaN as no improvement',
      options: { metric: 'loss', patience: 2 },
      events: evaluationEvents('loss', [0.5, Number.NaN, Number.NaN]),
      expected: { 3: [stop('loss', '0.5,', 'step 100,')] },
    },
    {
      name: 'continues after non-finite scores when finite ones follow',
      options: { metric: 'loss', patience: 3 },
      events: evaluationEvents('loss', [Number.NaN, Infinity, 0.5, 0.4]),
      expected: {},
    },
    {
      name: 'stops if no score was ever finite',
      options: { metric: 'loss', patience: 2 },
      events: evaluationEvents('loss', [Number.NaN, Infinity]),
      expected: { 2: [stop('loss', 'finite')] },
    },
    {
      name: 'ignores splits other than validation',
      options: { metric: 'accuracy', patience: 1 },
      events: [...evaluationEvents('accuracy', [0.5, 0.4], 'test'), ...evaluationEvents('accuracy', [0.5, 0.6])],
      expected: {},
    },
  ],
})

describe('early-stopping with a score that the run does not have', () => {
  it.each(['macro_f1', 'constructor'])('fails at the start of the run: %s', async (metric) => {
    const stopping = earlyStopping({ metric, patience: 1 })
    await expect(lastValueFrom(stopping(from([{ at: 0, ...startedRun } as RunEvent])))).rejects.toMatchObject({
      code: 'UNKNOWN_SCORE',
      problem: expect.stringContaining(`got "${metric}"; available: loss, accuracy, macro-f1, error-rate`),
      remedy: expect.stringContaining(metric === 'macro_f1' ? '"macro-f1"' : '"loss"'),
    })
  })
})
