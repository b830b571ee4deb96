import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { lastValueFrom, toArray } from 'rxjs'
import { estimateRun } from './estimate-run.js'
import { run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

const searchPaths = { folders: ['.'], registered: toyPlugins }
const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('attune-estimate-'))

afterEach(() => void jest.restoreAllMocks())

describe('estimateRun', () => {
  it('matches the counts of the run, measures every shape, and leaves no files', async () => {
    const { directory: _, ...config } = toyConfig('unused')
    const before = leftovers()
    const tried: string[] = []
    const found = await estimateRun(config, {
      searchPaths,
      progress: (trial, trials, shape) => tried.push(`${trial}/${trials} ${shape}`),
    })
    expect(leftovers()).toEqual(before)

    const events = await lastValueFrom(run(config, { searchPaths }).pipe(toArray()))
    const started = events.find(({ type }) => type === 'run.started')
    const { steps, examples, parameters, trainableParameters } = found
    expect(started).toMatchObject({ steps, examples, parameters, trainableParameters })
    const inEpoch = events.filter((event) => event.type === 'step.completed' && event.epoch === 0)
    expect(found.shapes.reduce((sum, shape) => sum + shape.steps, 0)).toBe(inEpoch.length)
    const [smallest, ...larger] = found.shapes.map(({ shape }) => shape)
    const order = [smallest, ...larger.toReversed()]
    expect(tried).toEqual(order.map((shape, i) => `${i + 1}/${found.shapes.length} ${shape}`))

    expect(found.shapes.every(({ milliseconds }) => milliseconds! > 0)).toBe(true)
    const training = found.shapes.reduce((sum, shape) => sum + shape.steps * shape.milliseconds!, 0) / 1000
    expect(found.stepSeconds).toBeCloseTo(training / inEpoch.length, 8)
    expect(found.seconds).toBeGreaterThan(training * config.training!.epochs! + found.evaluationSeconds)
    expect(found.checkpoint.bytes).toBeGreaterThan(3 * 4 * trainableParameters) // Adam's two moments, too
    expect(found.peakBytes).toBeGreaterThan(process.memoryUsage().rss / 2)
  })

  it('stops at the memory limit and returns no total time', async () => {
    const { directory: _, ...config } = toyConfig('unused')
    jest.spyOn(process, 'availableMemory').mockReturnValue(-1)
    const found = await estimateRun(config, { searchPaths })
    const [first, ...others] = found.shapes.map(({ milliseconds }) => milliseconds !== undefined)
    expect([first, new Set(others)]).toEqual([true, new Set([false])])
    expect(found).not.toHaveProperty('seconds')
    expect(found.stepSeconds).toBeCloseTo(found.shapes[0]!.milliseconds! / 1000, 8)
  })
})
