import { on } from '@attune/core'
import { describe, expect, it } from '@jest/globals'
import { lastValueFrom, toArray } from 'rxjs'
import { findLearningRate } from './find-learning-rate.js'
import { planSchedules } from './plan-schedules.js'
import { run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

const searchPaths = { folders: ['.'], registered: toyPlugins }
const { directory: _, ...config } = toyConfig('unused')

describe('findLearningRate', () => {
  it('trains with rates that grow by a constant ratio from the first to the last', async () => {
    const seen: number[] = []
    const { points } = await findLearningRate(config, {
      ...{ searchPaths, from: 1e-4, to: 0.1, steps: 16 },
      progress: ({ loss }) => seen.push(loss),
    })
    expect(points.map(({ loss }) => loss)).toEqual(seen)
    expect(points).toHaveLength(16)
    points.forEach(({ learningRate }, i) => expect(learningRate).toBeCloseTo(1e-4 * 1000 ** (i / 15), 10))
  })

  it('finds the steepest descent of the loss before its minimum', async () => {
    const { points, steepest, lowest } = await findLearningRate(config, { searchPaths, from: 1e-4, to: 10, steps: 40 })
    const [first] = points
    const minimum = points.find(({ learningRate }) => learningRate === lowest)!
    expect(minimum.smoothed).toBe(Math.min(...points.map(({ smoothed }) => smoothed)))
    expect(minimum.smoothed).toBeLessThan(first!.smoothed)
    expect(steepest).toBeLessThanOrEqual(lowest)
  })

  it('ends early once the loss diverges', async () => {
    const { points } = await findLearningRate(config, { searchPaths, from: 0.1, to: 10, steps: 200 })
    expect(points.length).toBeLessThan(200)
    expect(points.length).toBeGreaterThan(10)
  })
})

describe('planSchedules', () => {
  it('matches the learning rates of the steps of a run', async () => {
    // The callback of the toy configuration scales the rate.
    const events = await lastValueFrom(
      run({ ...config, callback: [] }, { searchPaths }).pipe(on('step.completed'), toArray()),
    )
    const plan = await planSchedules(config, { searchPaths })
    expect(plan.steps).toBe(events[0]!.steps)
    expect(events.map(({ step }) => plan.at(step)['learningRate'])).toEqual(
      events.map(({ learningRate }) => learningRate),
    )
  })

  it('rejects a path that cannot be scheduled', () =>
    expect(
      planSchedules({ ...config, schedule: { 'model.depth': config.scheduler } }, { searchPaths, steps: 5 }),
    ).rejects.toMatchObject({ code: 'BAD_SCHEDULE' }))
})
