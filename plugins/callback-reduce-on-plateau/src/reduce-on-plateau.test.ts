import { readFileSync } from 'node:fs'
import type { RunEvent } from '@attune/core'
import { describeCallback, evaluationEvents, startedRun } from '@attune/testkit'
import { describe, expect, it } from '@jest/globals'
import { from, lastValueFrom, reduce } from 'rxjs'
import { reduceOnPlateau } from './reduce-on-plateau.js'

const scale = (factor: number) => ({
  type: 'scaleLearningRate',
  factor,
  because: expect.stringContaining('has not improved on'),
})

describeCallback(reduceOnPlateau, {
  cases: [
    {
      name: 'reduces the rate after more than `patience` evaluations without a better loss, and again',
      options: { patience: 1, factor: 0.5 },
      events: evaluationEvents('loss', [0.9, 0.9, 0.9, 0.9, 0.9]),
      expected: { 3: [scale(0.5)], 5: [scale(0.5)] },
    },
    {
      name: 'maximizes a score whose direction is maximize',
      options: { metric: 'accuracy', patience: 0 },
      events: evaluationEvents('accuracy', [0.5, 0.6, 0.55]),
      expected: { 3: [scale(0.1)] },
    },
    {
      name: 'ignores splits other than validation',
      options: { patience: 0 },
      events: evaluationEvents('loss', [0.5, 0.6], 'test'),
      expected: {},
    },
    {
      name: 'does not reduce the rate below the floor',
      options: { patience: 0, factor: 0.5, floor: 0.5 },
      events: evaluationEvents('loss', [0.5, 0.6, 0.6]),
      expected: { 2: [scale(0.5)] },
    },
    {
      name: 'counts NaN as no improvement',
      options: { patience: 1, factor: 0.5 },
      events: evaluationEvents('loss', [0.5, Number.NaN, Number.NaN]),
      expected: { 3: [scale(0.5)] },
    },
  ],
})

const golden = JSON.parse(readFileSync('golden/torch-reduce-on-plateau.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly { options: { metric: string }; values: number[]; expected: number[] }[]
}

describe('reduce-on-plateau', () => {
  it.each(golden.cases.map((each) => [JSON.stringify(each.options), each] as const))(
    `agrees with ${golden.source}: %s`,
    async (_, { options, values, expected }) => {
      const factors: number[] = []
      for (const [index] of values.entries()) {
        const events = evaluationEvents(options.metric, values.slice(0, index + 1)).map(
          (event) => ({ at: 0, ...event }) as RunEvent,
        )
        const commands = reduceOnPlateau(options)(from(events))
        factors.push(
          await lastValueFrom(
            commands.pipe(reduce((product, command) => product * ('factor' in command ? command.factor : 1), 1)),
          ),
        )
      }
      expect(factors.map((factor, i) => Math.abs(factor - expected[i]!) < 1e-12)).toEqual(values.map(() => true))
    },
  )

  it('fails at the start of a run without the score', async () => {
    const events = from([{ at: 0, ...startedRun } as RunEvent])
    await expect(lastValueFrom(reduceOnPlateau({ metric: 'macro_f1' })(events))).rejects.toMatchObject({
      code: 'UNKNOWN_SCORE',
    })
  })
})
