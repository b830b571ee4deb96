import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  ENGINE,
  METRIC,
  OPTIMIZER,
  type Optimizer,
  type RunEvent,
  SCHEDULER,
  type Scope,
  createScope,
  get,
  provide,
  provideInstance,
} from '@attune/core'
import { chain, scaleByLearningRate } from '@attune/nn'
import { type Observable, lastValueFrom, toArray } from 'rxjs'
import { evaluateRun } from '../inference/evaluate.js'
import { resume, run } from '../run/run.js'
import { toyConfig, toyEngine, toyMetric, toyPlugins } from '../run/toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-scope-'))
afterAll(() => rmSync(temporary, { recursive: true }))
const searchPaths = { folders: ['.'], registered: toyPlugins }
const all = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))
const weights = (directory: string): string => readFileSync(join(directory, 'model/model.safetensors')).toString('hex')

/** The toy configuration without the given kinds. */
const without = (directory: string, ...kinds: string[]) =>
  Object.fromEntries(Object.entries(toyConfig(directory)).filter(([key]) => !kinds.includes(key))) as ReturnType<
    typeof toyConfig
  >

/** Gradient descent (SGD) that counts how often it is traced. */
const counting = (): Optimizer & { traced: number } => {
  const link: Optimizer = chain(scaleByLearningRate())
  const counted = {
    ...link,
    traced: 0,
    update: (...given: Parameters<Optimizer['update']>) => (counted.traced++, link.update(...given)),
  }
  return counted
}

const scopeWith = (optimizer: Optimizer): Scope => {
  const scope = createScope()
  provide(scope, toyEngine)
  provide(scope, toyMetric)
  provideInstance(scope, OPTIMIZER, optimizer)
  provideInstance(scope, SCHEDULER, () => 0.5)
  return scope
}

describe('a run in the scope of an application', () => {
  it('takes engine, metric, optimizer and scheduler from the scope if the configuration omits them', async () => {
    const directory = join(temporary, 'given')
    const optimizer = counting()
    const scope = scopeWith(optimizer)
    const config = without(directory, 'engine', 'metric', 'optimizer', 'scheduler')
    const events = await all(run(config, { scope, searchPaths }))
    expect(optimizer.traced).toBeGreaterThan(0)
    const rates = events.flatMap((event) => (event.type === 'step.completed' ? [event.learningRate] : []))
    expect(rates[0]).toBeCloseTo(0.01)
    expect(events.find(({ type }) => type === 'evaluation.completed')).toHaveProperty('scores.right')
    expect(get(scope, ENGINE).live()).toBeGreaterThanOrEqual(0) // the engine belongs to the application and stays open
  })

  it('resumes with the plugins of the scope, and rejects without them', async () => {
    const directory = join(temporary, 'given')
    const before = weights(directory)
    await all(resume(directory, { searchPaths, scope: scopeWith(counting()) }))
    expect(weights(directory)).toBe(before)
    await expect(all(resume(directory, { searchPaths }))).rejects.toMatchObject({
      code: 'UNKNOWN_PLUGIN',
      problem: expect.stringContaining('given-by-scope') as unknown,
    })
    const scope = scopeWith(counting())
    const { scores } = await evaluateRun(directory, { split: 'validation', searchPaths, scope })
    expect(Object.keys(scores)).toEqual(['loss', 'right'])
  })

  it('prefers plugins of the configuration to those of the scope', async () => {
    const [alone, scoped] = [join(temporary, 'alone'), join(temporary, 'scoped')]
    const optimizer = counting()
    await all(run(toyConfig(alone), { searchPaths }))
    const scope = scopeWith(optimizer)
    const { metric: _, ...config } = toyConfig(scoped)
    await all(run(config, { scope, searchPaths }))
    expect(optimizer.traced).toBe(0)
    expect(weights(scoped)).toBe(weights(alone))
    expect(scope.isRegistered(METRIC.token)).toBe(true)
  })
})
