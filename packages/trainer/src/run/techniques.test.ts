import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  type AuxiliaryModel,
  CALLBACK,
  type Command,
  type HostArray,
  LOSS,
  type LossTerm,
  OBJECTIVE,
  OPTIMIZER,
  type Objective,
  type Params,
  type RunEvent,
  type Scope,
  type TextInputs,
  createScope,
  definePlugin,
  mapParams,
  provideInstance,
  scheduled,
} from '@attune/core'
import { crossEntropy, logSigmoid, lossOf } from '@attune/nn'
import { decodeSafetensors } from '@attune/weights'
import * as tf from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { type Observable, Subject, lastValueFrom, mergeMap, tap, toArray } from 'rxjs'
import { z } from 'zod'
import { loadCheckpoint } from '../files/checkpoint.js'
import { evaluateRun } from '../inference/evaluate.js'
import { resume, run } from './run.js'
import { toyConfig, toyModel, toyObjective, toyOptimizer, toyPlugins } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-techniques-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const all = (events: Observable<RunEvent>): Promise<RunEvent[]> => lastValueFrom(events.pipe(toArray()))
const lossesIn = (events: readonly RunEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'step.completed' ? [event.loss] : []))
const savedWeights = (directory: string): Readonly<Record<string, HostArray>> => {
  const path = join(directory, 'model/model.safetensors')
  return decodeSafetensors(readFileSync(path), path).tensors
}
const none = z.strictObject({})
const config = (directory?: string) => ({ ...toyConfig(directory), callback: [] as unknown[] })

/** Exponential moving average (EMA) of the parameters, used for evaluation and saving. */
const ema = definePlugin({
  kind: OPTIMIZER,
  name: 'ema',
  summary: 'Exponential moving average of the parameters',
  options: none,
  create: () => ({
    init: (params: Params) => ({ average: mapParams((p) => tf.clone(p), params) }),
    update(grads: Params, state: { average: Params }, params: Params) {
      const next = (average: Tensor, p: Tensor, by: Tensor): Tensor =>
        tf.add(tf.mul(0.8, average), tf.mul(0.2, tf.add(p, by)))
      const average = mapParams(next as (...values: Tensor[]) => Tensor, state.average, params, grads)
      return { updates: grads, state: { average } }
    },
    evaluationParams: (state: { average: Params }) => mapParams((p) => tf.clone(p), state.average),
  }),
})

/** Saves a labelled checkpoint at step 6, and restores it at the end. */
const keepsStep6 = definePlugin({
  kind: CALLBACK,
  name: 'keeps-step-6',
  summary: 'Restores step 6',
  options: none,
  create: () => (events: Observable<RunEvent>) =>
    events.pipe(
      mergeMap((event): Command[] => {
        if (event.type === 'step.completed' && event.step === 6)
          return [{ type: 'save', label: 'kept', because: 'step 6' }]
        if (event.type === 'step.completed' && event.step === event.steps)
          return [{ type: 'save', label: 'last', because: 'the end' }]
        return event.type === 'training.completed' ? [{ type: 'restore', label: 'kept', because: 'step 6' }] : []
      }),
    ),
})

/** {@link toyObjective} with changes to its instance. */
const changed = (name: string, change: (toy: Objective) => Partial<Objective>) =>
  definePlugin({
    kind: OBJECTIVE,
    name,
    summary: 'A toy objective with a custom training loss',
    options: none,
    needs: toyObjective.needs!,
    create: (_, given): Objective => {
      const toy = toyObjective({}, given as never) as Objective
      return { ...toy, ...change(toy) }
    },
  })
const inputsOf = (batch: { readonly inputs: unknown }): TextInputs => batch.inputs as TextInputs
const labelsOf = (batch: object): Tensor => (batch as { labels: Tensor }).labels

describe('an optimizer with evaluationParams', () => {
  const averaged = (directory?: string) => ({ ...config(directory), optimizer: [{ use: toyOptimizer }, { use: ema }] })
  const searchPaths = { folders: ['.'], registered: [...toyPlugins, ema, keepsStep6] }

  it('evaluates and saves the averaged weights', async () => {
    const directory = folder()
    const callback = { use: keepsStep6 }
    const events = await all(run({ ...averaged(directory), callback } as never, { searchPaths }))
    const id = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')).id as string
    const { state } = await loadCheckpoint(directory, 6, id)
    const { trainable, optimizer } = state as unknown as {
      trainable: Record<string, HostArray>
      optimizer: Record<string, { average: Record<string, HostArray> }>
    }
    const { average } = Object.values(optimizer).find((link) => 'average' in link)!
    const saved = savedWeights(directory)
    expect(saved['head.weight']!.values).toEqual(average['head.weight']!.values)
    expect(saved['head.weight']!.values).not.toEqual(trainable['head.weight']!.values)
    const atStep6 = events.flatMap((e) => (e.type === 'evaluation.completed' && e.step === 6 ? [e.scores] : []))[0]!
    const { scores } = await evaluateRun(directory, { searchPaths, split: 'validation' })
    expect(scores['loss']!.value).toBeCloseTo(atStep6['loss']!.value, 6)
  })

  it('resumes to the same averages as an uninterrupted run', async () => {
    const [whole, parted] = [folder(), folder()]
    await all(run(averaged(whole) as never, { searchPaths }))
    const commands = new Subject<Command>()
    const stop = tap((event: RunEvent) => {
      if (event.type === 'step.completed' && event.step === 9) commands.next({ type: 'stop', because: 'test' })
    })
    await lastValueFrom(run(averaged(parted) as never, { searchPaths, commands }).pipe(stop))
    await all(resume(parted, { searchPaths }))
    expect(savedWeights(parted)).toEqual(savedWeights(whole))
  })
})

/** An objective whose loss is its scheduled option, to observe the value in each step. */
const reversing = definePlugin({
  kind: OBJECTIVE,
  name: 'reversing',
  summary: 'A toy objective whose loss is its scheduled option',
  options: z.strictObject({ reversal: scheduled(z.number().default(0.25)), fixed: z.number().default(1) }),
  needs: toyObjective.needs!,
  async fit(o) {
    return await Promise.resolve({ ...o, fixed: 3 })
  },
  create({ reversal, fixed }, given): Objective {
    const toy = toyObjective({}, given as never) as Objective
    return {
      ...toy,
      trainingLoss({ params }, batch) {
        const weights = tf.ones([labelsOf(batch).shape[0]!])
        const zero = tf.mul(0, tf.sum(params['head.bias']!))
        return { losses: tf.mul(weights, tf.add(zero, tf.mul(reversal, fixed))), weights }
      },
    }
  },
})

describe('a scheduled option', () => {
  const scheduler = toyPlugins.find(({ name }) => name === 'toy-scheduler')!
  const searchPaths = { folders: ['.'], registered: [...toyPlugins, reversing] }
  const following = (schedule: object, more: object = {}) => ({
    ...config(),
    objective: { use: reversing },
    schedule,
    ...more,
  })

  it('takes the value of each step, with the plugin’s fitted options', async () => {
    const schedule = { 'objective.reversal': { use: scheduler, from: 2, to: 0 } }
    const losses = lossesIn(await all(run(following(schedule) as never, { searchPaths })))
    const expected = losses.map((_, i) => 3 * 2 * (1 - i / losses.length))
    losses.forEach((loss, i) => expect(loss).toBeCloseTo(expected[i]!, 5))
    expect(losses.length).toBe(24)
    const constant = lossesIn(await all(run(following({}) as never, { searchPaths })))
    expect(new Set(constant.map((loss) => loss.toFixed(5)))).toEqual(new Set(['0.75000']))
  })

  it('is rejected if its schema does not allow scheduling', async () => {
    for (const path of ['objective.fixed', 'objective.nothing', 'model.width', 'training.batchSize'])
      await expect(all(run(following({ [path]: { use: scheduler } }) as never, { searchPaths }))).rejects.toMatchObject(
        {
          code: 'BAD_SCHEDULE',
          problem: expect.stringContaining(path),
        },
      )
  })

  it('can be a model’s dropout, including that of its head', async () => {
    const schedule = (from: number) => ({ 'model.dropout': { use: scheduler, from, to: from } })
    const at = async (from: number): Promise<number[]> =>
      lossesIn(await all(run({ ...config(), schedule: schedule(from) } as never, { searchPaths })))
    const without = lossesIn(
      await all(run({ ...config(), model: { use: toyModel, dropout: 0 } } as never, { searchPaths })),
    )
    expect((await at(0)).map((x) => x.toFixed(5))).toEqual(without.map((x) => x.toFixed(5)))
    expect((await at(0.4))[0]!.toFixed(5)).not.toBe(without[0]!.toFixed(5))
  })
})

const term = (name: string, power: number) =>
  definePlugin({
    kind: LOSS,
    name,
    summary: 'Power of the cross-entropy',
    options: none,
    create: (): LossTerm => ({ compares: 'labels', losses: (x, labels) => tf.pow(crossEntropy(x, labels), power) }),
  })

describe('several losses in a configuration', () => {
  const [one, two] = [term('one', 1), term('two', 2)]
  const composed = definePlugin({
    kind: OBJECTIVE,
    name: 'composed',
    summary: 'A toy objective with the losses of the configuration',
    options: none,
    needs: { ...toyObjective.needs!, losses: LOSS },
    create: (_, { losses, ...given }): Objective => {
      const ofRows = lossOf(losses, 'labels')
      const toy = toyObjective({}, given as never) as Objective
      return {
        ...toy,
        loss: (head, batch) => ({
          losses: ofRows(head as Tensor, labelsOf(batch)),
          weights: tf.ones([labelsOf(batch).shape[0]!]),
        }),
      }
    },
  })
  const searchPaths = { folders: ['.'], registered: [...toyPlugins, composed, one, two] }
  const first = async (loss?: unknown, scope?: Scope): Promise<number> => {
    const own = { ...config(), objective: composed, ...(loss === undefined ? {} : { loss }) }
    return lossesIn(await all(run(own as never, { searchPaths, ...(scope && { scope }) })))[0]!
  }

  it('are summed with their weights', async () => {
    const [a, b] = [await first({ use: one }), await first({ use: two })]
    expect(await first()).toBe(a)
    expect(await first({ use: one, weight: 0.5 })).toBeCloseTo(0.5 * a, 6)
    expect(
      await first([
        { use: one, weight: 0.5 },
        { use: two, weight: 3 },
      ]),
    ).toBeCloseTo(0.5 * a + 3 * b, 5)
  })

  it('include one that the scope of the application provides', async () => {
    const [a, b, scope] = [await first({ use: one }), await first({ use: two }), createScope()]
    provideInstance(scope, LOSS, two())
    expect(await first(undefined, scope)).toBeCloseTo(b, 6)
    expect(await first({ use: one }, scope)).toBeCloseTo(a + b, 5)
  })
})

describe('auxiliary models', () => {
  const distilled = changed('distilled', () => ({
    trainingLoss({ params, forward, models: { teacher } }, batch) {
      const target = tf.softmax(teacher!.head(teacher!.forward(inputsOf(batch)), batch) as Tensor)
      const own = tf.matMul(forward(inputsOf(batch)).pooled as never, params['head.weight'] as never, false, true)
      const losses = tf.neg(tf.sum(tf.mul(target, tf.logSoftmax(own as Tensor)), -1))
      return { losses, weights: tf.onesLike(losses) }
    },
  }))
  const preferring = changed('preferring', (toy) => ({
    needsReference: true,
    trainingLoss({ params, mode, forward, models: { reference } }, batch) {
      const margin = (logits: Tensor): Tensor =>
        tf.sub(
          crossEntropy(logits, tf.cast(tf.sub(1, labelsOf(batch)), 'int32')),
          crossEntropy(logits, labelsOf(batch)),
        )
      const before = (model: AuxiliaryModel): Tensor => model.head(model.forward(inputsOf(batch)), batch) as Tensor
      const now = toy.head(params, forward(inputsOf(batch)), mode, batch) as Tensor
      const losses = tf.neg(logSigmoid(tf.sub(margin(now), margin(before(reference!)))))
      return { losses, weights: tf.onesLike(losses) }
    },
  }))
  const searchPaths = { folders: ['.'], registered: [...toyPlugins, distilled, preferring] }

  it('include a teacher loaded with its head, which the student learns from', async () => {
    const teacher = folder()
    await all(run(config(teacher) as never, { searchPaths }))
    const taught = {
      ...config(),
      objective: { use: distilled },
      models: { teacher: { use: toyModel, from: join(teacher, 'model') } },
      metric: [],
    }
    const events = await all(run(taught as never, { searchPaths }))
    const losses = lossesIn(events)
    expect(losses.at(-1)).toBeLessThan(losses[0]!)
    await expect(
      all(run({ ...taught, models: { teacher: { use: toyModel } } } as never, { searchPaths })),
    ).rejects.toMatchObject({ code: 'BAD_OPTIONS' })
  })

  it('include the initial model as the reference: the preference loss falls from ln 2', async () => {
    const quiet = { ...config(), model: { use: toyModel, dropout: 0 }, objective: { use: preferring } }
    for (const adapter of ['full', 'toy']) {
      const full = definePlugin({
        kind: toyPlugins.find(({ name }) => name === 'toy-adapter')!.kind,
        name: 'full',
        summary: 'Full fine-tuning',
        options: none,
        create: () => ({
          adapt: (model: never, params: Params) => ({
            model,
            trainable: params,
            frozen: {},
            merge: (trainable: Params) => trainable,
          }),
        }),
      })
      const given = adapter === 'full' ? { ...quiet, adapter: full } : quiet
      const directory = folder()
      const losses = lossesIn(await all(run({ ...given, directory } as never, { searchPaths })))
      expect(losses[0]).toBeCloseTo(Math.log(2), 5)
      expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.01)
      const { warnings } = await evaluateRun(directory, { searchPaths, split: 'train' })
      expect(warnings.filter((each) => each.startsWith('a saved run has no reference model'))).toHaveLength(1)
    }
  })
})

describe('training settings', () => {
  const searchPaths = { folders: ['.'], registered: toyPlugins }
  const closure = definePlugin({
    kind: OPTIMIZER,
    name: 'closing',
    summary: 'Requires the closure',
    options: none,
    create: () => ({
      needsClosure: true as const,
      init: () => ({}),
      update: (_: Params, state: object, params: Params, hyper: { learningRate: Tensor }, again: never) => ({
        updates: mapParams(
          (g) => tf.neg(tf.mul(hyper.learningRate, g)),
          (again as (p: Params) => { grads: Params })(params).grads,
        ),
        state: state as never,
      }),
    }),
  })

  it('reject micro-batches for an optimizer that requires the closure', async () => {
    const given = { ...config(), optimizer: { use: closure } }
    await all(run(given as never, { searchPaths }))
    const training = { ...given.training, microBatchSize: 4 }
    await expect(all(run({ ...given, training } as never, { searchPaths }))).rejects.toMatchObject({
      code: 'BATCH_IN_PARTS',
    })
  })

  it('clip the gradient norm at 1 by default, at another value, or not at all', async () => {
    const trained = async (clipNorm?: number | null): Promise<number> => {
      const given = config()
      const training = { ...given.training, ...(clipNorm === undefined ? {} : { clipNorm }) }
      return lossesIn(
        await all(run({ ...given, optimizer: { use: closureless }, training } as never, { searchPaths })),
      ).at(-1)!
    }
    const closureless = definePlugin({
      kind: OPTIMIZER,
      name: 'descent',
      summary: 'Gradient descent',
      options: none,
      create: () => ({
        init: () => ({}),
        update: (grads: Params, state: never, _: Params, { learningRate }: { learningRate: Tensor }) => ({
          updates: mapParams((g) => tf.neg(tf.mul(learningRate, g)), grads),
          state,
        }),
      }),
    })
    expect(await trained()).toBe(await trained(1))
    expect(await trained(null)).toBe(await trained(1e6))
    expect(await trained(null)).not.toBe(await trained(0.01))
  })
})
