import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  ENGINE,
  type Encoded,
  type Example,
  type RunEvent,
  createScope,
  deriveKey,
  get,
  isAttuneError,
  key,
  provide,
} from '@attune/core'
import { decodeSafetensors } from '@attune/weights'
import { Subject, from, lastValueFrom, map, range, toArray } from 'rxjs'
import { evaluateRun } from '../inference/evaluate.js'
import { run } from '../run/run.js'
import { toyConfig, toyEngine, toyExample, toyModel, toyPlugins } from '../run/toy.test.fixture.js'
import { epochBatches } from '../step/batches.js'
import { type PrequentialEvent, learnOnline } from './learn-online.js'
import { openLearner } from './open-learner.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-learner-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const searchPaths = { folders: ['.'], registered: toyPlugins }
const config = (directory?: string) => ({ ...toyConfig(directory), callback: [] })
const examples = (count: number, start = 0): Example[] => Array.from({ length: count }, (_, i) => toyExample(start + i))
const all = async (events: ReturnType<typeof learnOnline>): Promise<PrequentialEvent[]> =>
  lastValueFrom(events.pipe(toArray()))

/** Examples of each batch in the first epoch of a toy run. */
async function batchesOf({ seed, training }: ReturnType<typeof toyConfig>): Promise<Example[][]> {
  async function* items(): AsyncGenerator<Encoded> {
    await Promise.resolve()
    for (const example of examples(60)) {
      const length = Math.min(8, String(example['text']).length)
      yield { length, truncated: false, example } as Encoded
    }
  }
  const asTheyAre = { collate: (batch: unknown) => batch } as never
  const { batchSize, shuffleBuffer } = training
  const batches: Example[][] = []
  for await (const { parts } of epochBatches(items(), asTheyAre, {
    key: deriveKey(key(seed), 'epoch', 0),
    batchSize,
    shuffleBuffer,
  }))
    batches.push((parts[0] as unknown as { example: Example }[]).map(({ example }) => example))
  return batches
}

describe('openLearner', () => {
  it('matches the steps and the evaluation of a run bit for bit on the same batches', async () => {
    const directory = folder()
    const training = { ...toyConfig().training, epochs: 1, evaluateEvery: 'epoch' as const }
    const events = (await lastValueFrom(run({ ...config(directory), training }).pipe(toArray()))) as RunEvent[]
    const steps = events.flatMap((event) => (event.type === 'step.completed' ? [event] : []))
    const learner = await openLearner({ ...config(), training }, { searchPaths })
    const losses: object[] = []
    for (const batch of await batchesOf(toyConfig())) losses.push(await learner.learn(batch))
    expect(losses).toEqual(steps.map(({ loss, gradientNorm }) => ({ loss, gradientNorm })))
    expect(learner.step).toBe(8)

    const evaluated = events.find((event) => event.type === 'evaluation.completed')!
    expect(await learner.score(examples(20, 1000))).toEqual({ scores: evaluated.scores, examples: 20 })
    const saved = await learner.save(folder())
    expect(readFileSync(join(saved, 'model.safetensors'))).toEqual(
      readFileSync(join(directory, 'model/model.safetensors')),
    )
    expect((await evaluateRun(directory, { split: 'validation', searchPaths })).scores).toEqual(
      (await learner.score(examples(20, 1000))).scores,
    )
    await learner.close()
  })

  it('returns the weights of the saved model, and reopens from it', async () => {
    const learner = await openLearner(config(), { searchPaths })
    await learner.learn(examples(16))
    const [weights, answers] = [await learner.weights(), await learner.predict(examples(5))]
    const saved = await learner.save(folder())
    await learner.close()
    expect(readdirSync(saved).sort()).toEqual(['README.md', 'config.json', 'model.safetensors', 'tokenizer.json'])
    const { tensors } = decodeSafetensors(readFileSync(join(saved, 'model.safetensors')), saved)
    expect(Object.keys(tensors).sort()).toEqual(Object.keys(weights).sort())
    for (const [name, { values }] of Object.entries(tensors)) expect(weights[name]!.values).toEqual(values)
    const other = await openLearner({ ...config(), model: { use: toyModel, from: saved } }, { searchPaths })
    expect(await other.predict(examples(5))).toEqual(answers)
    await other.close()
  })

  it('fits labels and vocabulary on `examples` instead of `data`', async () => {
    const { data: _, ...without } = config()
    const learner = await openLearner(without, { searchPaths, examples: examples(4) })
    expect((await learner.learn(examples(8))).loss).toBeGreaterThan(0)
    await learner.close()
    await expect(openLearner(without, { searchPaths })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })

  it('rejects empty batches and batches with a bad row without changing the weights', async () => {
    const learner = await openLearner(config(), { searchPaths })
    const before = await learner.weights()
    await expect(learner.learn([toyExample(1), null as never])).rejects.toThrow()
    await expect(learner.learn([])).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
    expect([learner.step, await learner.weights()]).toEqual([0, before])
    const [answer, bad] = await learner.predict([toyExample(1), null as never])
    expect([isAttuneError(answer), isAttuneError(bad)]).toEqual([false, true])
    await learner.learn(examples(8))
    expect(learner.step).toBe(1)
    await learner.close()
  })

  it('rejects learning and saving after a non-finite loss', async () => {
    const learner = await openLearner(
      { ...config(), objective: { ...config().objective, loss: 'infinite' } },
      { searchPaths },
    )
    for (const act of [
      () => learner.learn(examples(8)),
      () => learner.learn(examples(8)),
      () => learner.save(folder()),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'NON_FINITE_LOSS' })
    await learner.close()
  })

  it('executes concurrent calls sequentially', async () => {
    const learner = await openLearner(config(), { searchPaths })
    const [first, answers, second] = await Promise.all([
      learner.learn(examples(8)),
      learner.predict(examples(3)),
      learner.learn(examples(8)),
    ])
    expect(second.loss).not.toBe(first.loss)
    expect(answers).toHaveLength(3)
    expect(learner.step).toBe(2)
    await learner.close()
  })
})

describe('learnOnline', () => {
  it('evaluates before training, improves, and does not leak memory', async () => {
    const scope = createScope()
    provide(scope, toyEngine)
    const { engine: _, ...others } = config()
    const learner = await openLearner(
      { ...others, scheduler: others.scheduler, training: { ...others.training, learningRate: 0.01 } },
      { searchPaths, scope },
    )
    const live: number[] = []
    const rows = range(0, 960).pipe(map((i) => toyExample(i)))
    const events = await all(
      learnOnline(learner, rows, { batchSize: 16, window: 240 }).pipe(
        map((event) => {
          live[event.step] = get(scope, ENGINE).live()
          return event
        }),
      ),
    )
    expect(events.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect(live[60]).toBe(live[20])
    const accuracy = (step: number): number => events[step - 1]!.window['right']!.value
    expect(accuracy(60)).toBeGreaterThan(accuracy(15))
    const { scores, examples: seen } = events.at(-1)!
    expect(seen).toBe(960)
    const quarters = [15, 30, 45, 60].map(accuracy)
    expect(scores['right']!.value).toBeCloseTo(quarters.reduce((sum, each) => sum + each, 0) / 4, 10)
    await learner.close()
  })

  it('skips and counts rows that cannot be read', async () => {
    const learner = await openLearner(config(), { searchPaths })
    const rows = examples(8).map((row, i) => (i === 3 ? (null as never) : row))
    const events = await all(learnOnline(learner, [...rows, null as never], { batchSize: 8 }))
    expect(events.map(({ examples: seen, failed, step }) => [seen, failed, step])).toEqual([
      [8, 1, 1],
      [9, 1, 1],
    ])
    expect(events[1]!.loss).toBeNaN()
    await learner.close()
  })

  it('reads an iterable on demand, and rejects an observable that exceeds the buffer', async () => {
    const learner = await openLearner(config(), { searchPaths })
    let read = 0
    function* rows() {
      for (; read < 1000; read++) yield toyExample(read)
    }
    const two: number[] = []
    await new Promise<void>((resolve) => {
      const subscription = learnOnline(learner, rows(), { batchSize: 8 }).subscribe(() => {
        two.push(read)
        if (two.length === 2) resolve(subscription.unsubscribe())
      })
    })
    expect(two[0]).toBeLessThan(16)
    await expect(all(learnOnline(learner, from(examples(100)), { maximumWaiting: 50 }))).rejects.toMatchObject({
      code: 'TOO_MANY_WAITING',
    })
    await learner.close()
  })

  it('unsubscribes from the rows when it is unsubscribed', async () => {
    const learner = await openLearner(config(), { searchPaths })
    const rows = new Subject<Example>()
    const subscription = learnOnline(learner, rows).subscribe()
    await Promise.resolve()
    expect(rows.observed).toBe(true)
    subscription.unsubscribe()
    expect(rows.observed).toBe(false)
    await learner.close()
  })
})
