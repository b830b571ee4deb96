import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { lastValueFrom } from 'rxjs'
import { orderSpace } from './space.js'
import { study } from './study.js'
import { tinyConfig, tinyData } from './tiny.test.fixture.js'

const folder = tinyData()
afterAll(() => rmSync(folder, { recursive: true }))

/** Returns the error of a study with an invalid space, and checks that nothing was started. */
async function refusal(space: object, rest: object = {}): Promise<{ code: string; problem: string }> {
  const settings = { space, goals: 'accuracy', directory: 'study', trials: 1, ...rest } as never
  const error: unknown = await lastValueFrom(
    study({ ...tinyConfig, study: settings }, { baseDirectory: folder }),
  ).catch((each: unknown) => each)
  expect(existsSync(join(folder, 'study'))).toBe(false)
  return error as { code: string; problem: string }
}

describe('the space of a study', () => {
  it('is rejected before anything starts for misspelled paths or plugins, with the nearest names', async () => {
    const { code, problem } = await refusal({
      'training.learningRat': { from: 0.1, to: 0.2 },
      'optimiser.use': ['sgd'],
      'optimizer.use': ['adamw', 'sdg'],
      'model.embedingSize': [8],
      directory: ['a'],
    })
    expect(code).toBe('BAD_SPACE')
    expect(problem.split('\n').map((line) => line.trim())).toEqual([
      'the space of the study has 6 mistakes:',
      expect.stringMatching(/^`training.learningRat` = 0.1: .*did you mean `learningRate`/),
      expect.stringMatching(/^`training.learningRat` = 0.2: /),
      expect.stringMatching(/^`optimiser.use` = "sgd": .*did you mean `optimizer`/),
      expect.stringMatching(/^`optimizer.use` = "sdg": .*Did you mean sgd/),
      expect.stringMatching(/^`model.embedingSize` = 8: .*did you mean `embeddingSize`/),
      '`directory` belongs to the study and cannot be a hyperparameter',
    ])
  })

  it('is rejected if a bound of an interval is outside the range of the option', async () => {
    const { problem } = await refusal({ 'model.dropout': { from: 0, to: 1 }, 'training.epochs': { from: 1, to: 2.5 } })
    expect(problem).toMatch(/2 mistakes:\n {2}`model.dropout` = 1: .*\n {2}`training.epochs` = 2.5: /)
  })

  it('is rejected if an option belongs to another plugin, unless a condition selects that plugin', async () => {
    const momentum = { from: 0.1, to: 0.9 }
    const { problem } = await refusal({ 'optimizer.momentum': momentum, 'optimizer.use': ['adamw', 'sgd'] })
    expect(problem).toContain('unknown `momentum`')
    const conditional = { 'optimizer.momentum': { ...momentum, when: { 'optimizer.use': 'sgd' } } }
    expect(await refusal({ ...conditional, 'optimizer.use': ['adamw', 'sgd'] }, { goals: 'acuracy' })).toMatchObject({
      code: 'UNKNOWN_SCORE',
      remedy: expect.stringContaining('Write "accuracy"'),
    })
  })

  it('is rejected if a distribution is invalid', async () => {
    const { code, problem } = await refusal({
      'training.learningRate': { from: 0, to: 1, scale: 'log' },
      'training.batchSize': { from: 4, to: 2 },
      'training.epochs': { from: 1.5, to: 3, integer: true },
    })
    expect([code, problem.split('\n').length]).toEqual(['BAD_CONFIG', 4])
  })

  it('is ordered so that conditions precede the hyperparameters that depend on them', () => {
    const use = { choices: ['sgd'] }
    const momentum = { choices: [0.9], when: { use: 'sgd' } }
    const nesterov = { choices: [true], when: { momentum: 0.9 } }
    expect(Object.keys(orderSpace({ nesterov, momentum, rate: { choices: [1] }, use }))).toEqual([
      'rate',
      'use',
      'momentum',
      'nesterov',
    ])
  })

  it('is rejected for conditions on unknown hyperparameters, on impossible values, and in a cycle', () => {
    const refused = (problem: RegExp) =>
      expect.objectContaining({ code: 'BAD_SPACE', problem: expect.stringMatching(problem) })
    const use = { choices: ['sgd'] }
    expect(() => orderSpace({ use, a: { choices: [1], when: { us: 'sgd' } } })).toThrow(refused(/did you mean `use`/))
    expect(() => orderSpace({ use, a: { choices: [1], when: { use: 'adam' } } })).toThrow(refused(/never has/))
    expect(() => orderSpace({ a: { choices: [1], when: { b: 1 } }, b: { choices: [1], when: { a: 1 } } })).toThrow(
      refused(/`a`, `b` form a cycle/),
    )
  })
})
