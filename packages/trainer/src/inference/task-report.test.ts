import { readFileSync } from 'node:fs'
import { type Direction, type Score } from '@attune/core'
import { addContingency, normalizedInformation } from '@attune/data'
import { describe, expect, it } from '@jest/globals'
import { constantPrediction, skillOf } from '../run/constant-prediction.js'
import { rankCorrelation } from './rank-correlation.js'
import { taskReport } from './task-report.js'

interface Golden {
  readonly directions: readonly Direction[]
  readonly correlations: { readonly scores: number[][]; readonly changes: number; readonly expected: number[][] }
  readonly overall: Readonly<Record<'multi' | 'single' | 'differences', number[]>> & { deltaM: number; mean: number }
  readonly constants: {
    readonly labels: [string[], string[]]
    readonly numbers: [number[], number[]]
    readonly accuracy: number
    readonly error: number
  }
  readonly dependence: { readonly labels: [string[], string[]]; readonly expected: number }
}
const golden = JSON.parse(readFileSync('golden/task-report.json', 'utf8')) as Golden
const TASKS = ['tagging', 'stars', 'topic']
const metricsOf = (directions: readonly Direction[], range: readonly [number, number] = [0, 1]) =>
  directions.map((direction, i) => ({ name: `${TASKS[i]!}.score`, direction, range }))
const losses = Object.fromEntries(TASKS.map((task, i) => [task, { loss: i + 0.5, support: 10 * (i + 1) }]))
const scoresOf = (values: readonly number[], names = TASKS.map((task) => `${task}.score`)): Record<string, Score> => ({
  loss: { value: 1, parts: losses },
  ...Object.fromEntries(values.map((value, i) => [names[i]!, { value }])),
})
const expectAll = (found: readonly number[], expected: readonly number[]): void =>
  expect(found).toEqual(expected.map((value) => expect.closeTo(value, 10) as unknown))

describe('taskReport', () => {
  const { overall, correlations, directions } = golden
  const metrics = metricsOf(directions)

  it('returns the relative differences to single-task models and their mean Δm as numpy', () => {
    const singles = Object.fromEntries(TASKS.map((task, i) => [task, scoresOf([overall.single[i]!], ['score'])]))
    const report = taskReport(scoresOf(overall.multi), { metrics, singles })!
    expectAll(
      report.tasks.map(({ difference }) => difference!),
      overall.differences,
    )
    expect(report.overall).toEqual({ name: 'deltaM', value: expect.closeTo(overall.deltaM, 10) })
    expect(report.tasks[1]).toMatchObject({ task: 'stars', score: 'stars.score', loss: 1.5, examples: 20 })
  })

  it('returns the mean of scores in [0, 1] without single-task models, and none for other scores', () => {
    const higher = metricsOf(['maximize', 'maximize', 'maximize'])
    const { overall: found } = taskReport(scoresOf(overall.multi), { metrics: higher })!
    expect(found).toEqual({ name: 'mean', value: expect.closeTo(overall.mean, 10) })
    for (const others of [metrics, metricsOf(['maximize', 'maximize', 'maximize'], [0, Infinity]), higher.slice(1)])
      expect(taskReport(scoresOf(overall.multi), { metrics: others })!.overall).toBeUndefined()
    const one = { tagging: scoresOf([0.5], ['score']) } // not one for each task
    expect(taskReport(scoresOf(overall.multi), { metrics: higher, singles: one })!.overall!.name).toBe('mean')
  })

  it('matches scipy in the rank correlations of changes, with ties, and counts lower errors as gains', () => {
    const [first] = correlations.scores
    const evaluations = first!.map((_, at) => scoresOf(correlations.scores.map((values) => values[at]!)))
    const { correlations: found } = taskReport(scoresOf([1, 1, 1]), { metrics, evaluations })!
    expect(found!.changes).toBe(correlations.changes)
    found!.values.forEach((row, i) => expectAll(row, correlations.expected[i]!))
    expect(taskReport(scoresOf([1, 1, 1]), { metrics, evaluations: evaluations.slice(0, 3) })).not.toHaveProperty(
      'correlations',
    )
  })

  it('uses the loss of a task without a metric', () => {
    const single = { loss: { value: 2 } }
    const { tasks } = taskReport(scoresOf([]), { metrics: [], singles: { stars: single } })!
    expect(tasks[1]).toMatchObject({ score: 'loss', value: 1.5, single: 2, difference: 0.25 })
  })

  it('is absent for one task', () => {
    expect(taskReport({ loss: { value: 1, parts: { topic: { loss: 1 } } } }, { metrics })).toBeUndefined()
  })
})

describe('rankCorrelation', () => {
  it('is NaN for constant values', () => expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNaN())
})

describe('constantPrediction', () => {
  const { labels, numbers, accuracy, error } = golden.constants

  it('scores as the dummy estimators of scikit-learn: most frequent label, mean number', () => {
    const label = constantPrediction('topic.label', labels[0])
    const right = labels[1].filter((reference) => label(reference) === reference).length
    expect(right / labels[1].length).toBeCloseTo(accuracy, 10)
    const number = constantPrediction('stars.number', numbers[0])
    const errors = numbers[1].map((reference) => Math.abs((number(reference) as number) - reference))
    expect(errors.reduce((sum, each) => sum + each) / errors.length).toBeCloseTo(error, 10)
  })

  it('is the most frequent label at each position for labels of tokens, and the most frequent set for sets', () => {
    const sequences = [['N', 'V'], ['N'], ['D', 'N']]
    expect(constantPrediction('tagging.tokens', sequences)(['D', 'D', 'V'])).toEqual(['N', 'N', 'N'])
    expect(constantPrediction('tags.labels', [['a', 'b'], ['a'], ['a', 'b']])([])).toEqual(['a', 'b'])
  })
})

describe('skillOf', () => {
  const accuracy = { name: 'accuracy', direction: 'maximize', range: [0, 1] } as const
  const absolute = { name: 'error', direction: 'minimize', range: [0, Infinity] } as const

  it('is 0 for the score of a constant prediction, 1 for a perfect one, and undefined where there is none', () => {
    expect(skillOf(accuracy, { constant: 0.6, trained: 0.6 }).skill).toBe(0)
    expect(skillOf(accuracy, { constant: 0.6, trained: 0.7 }).skill).toBeCloseTo(0.25, 12)
    expect(skillOf(absolute, { constant: 2, trained: 0.5 }).skill).toBe(0.75)
    expect(skillOf(accuracy, { constant: 1, trained: 1 }).skill).toBeUndefined()
    const unbounded = { ...accuracy, range: [0, Infinity] } as const
    expect(skillOf(unbounded, { constant: 1, trained: 2 }).skill).toBeUndefined()
  })
})

describe('normalizedInformation', () => {
  it('matches scikit-learn', () => {
    const { labels, expected } = golden.dependence
    expect(normalizedInformation(addContingency({}, ...labels))).toBeCloseTo(expected, 10)
  })
})
