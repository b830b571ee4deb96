import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  ADAPTER,
  type Adapter,
  type Command,
  type HostTree,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  REGULARIZER,
  type RunEvent,
  definePlugin,
  isHostArray,
  leaves,
} from '@attune/core'
import { linear, withHook } from '@attune/nn'
import { decodeSafetensors } from '@attune/weights'
import * as tf from '@tensorflow/tfjs-core'
import { Subject, lastValueFrom, toArray } from 'rxjs'
import { z } from 'zod'
import { fileRowStore, memoryRowStore } from '../files/row-store.js'
import { openLearner } from '../online/open-learner.js'
import { estimateRun } from './estimate-run.js'
import { resume, run } from './run.js'
import { toyConfig, toyModel, toyObjective, toyPlugins } from './toy.test.fixture.js'

const none = z.strictObject({})
const root = mkdtempSync(join(tmpdir(), 'attune-cache-'))
afterAll(() => rmSync(root, { recursive: true }))
let folders = 0
const folder = (): string => join(root, String(folders++))

const split = (params: Params, trains: (name: string) => boolean): readonly [Params, Params] => {
  const part = (wanted: boolean) => Object.entries(params).filter(([name]) => trains(name) === wanted)
  return [Object.fromEntries(part(true)), Object.fromEntries(part(false))]
}

/** Trains the head, and the named parameter of the model, if any. */
const headAdapter = definePlugin({
  kind: ADAPTER,
  name: 'toy-head',
  summary: 'Trains the head',
  options: z.strictObject({ also: z.string().default('none') }),
  create: ({ also }): Adapter => ({
    adapt(model, params) {
      const [trainable, frozen] = split(params, (name) => name.startsWith('head.') || name === also)
      return { model, trainable, frozen, merge: (trained, kept) => ({ ...kept, ...trained }) }
    },
  }),
})

/** Counts the forward passes of a toy model outside of tracing: the eager engine runs each call. */
let forwards = 0
const countedModel = definePlugin({
  ...toyModel,
  name: 'counted-model',
  kind: toyModel.kind,
  create(options: never) {
    const model = toyModel(options) as Model
    return {
      ...model,
      forward(params: never, inputs: never, mode: never) {
        forwards++
        return model.forward(params, inputs, mode)
      },
    }
  },
} as never)

/** A toy model that also returns encoder states. */
const stating = definePlugin({
  ...toyModel,
  name: 'stating-model',
  create(options: never) {
    const model = toyModel(options) as Model
    return {
      ...model,
      forward(params: never, inputs: never, mode: never) {
        const outputs = model.forward(params, inputs, mode)
        return { ...outputs, encoderStates: outputs.lastHiddenState }
      },
    }
  },
} as never)

/** Changes the toy objective. */
const changed = (name: string, change: (toy: Objective) => Partial<Objective>) =>
  definePlugin({
    kind: OBJECTIVE,
    name,
    summary: name,
    options: none,
    needs: toyObjective.needs!,
    create(_, given) {
      const toy = toyObjective({}, given as never) as Objective
      return { ...toy, ...change(toy) }
    },
  })

/** Adds the attention mask to the batches of an objective. */
const masked = (toy: Objective): Pick<Objective, 'collate'> => ({
  collate(items) {
    const batch = toy.collate(items)
    const ids = batch.inputs['inputIds'] as { shape: number[]; values: Int32Array; dtype: 'int32' }
    const attentionMask = { ...ids, values: ids.values.map((id) => (id === 0 ? 0 : 1)) }
    return { ...batch, inputs: { ...batch.inputs, attentionMask } }
  },
})
const classifying = changed('classifying', masked)

/** Predicts the class of each letter from its state: a head on `lastHiddenState`, padded to the longest text of a batch. */
const tagging = changed('tagging', (toy) => ({
  ...masked(toy),
  head: (params, { lastHiddenState }) => {
    const [batch, length, width] = lastHiddenState.shape as [number, number, number]
    const logits = linear(params, 'head', tf.reshape(lastHiddenState, [batch * length, width]))
    return tf.reshape(logits, [batch, length, 2])
  },
  loss(logits, { inputs, labels }) {
    const weights = tf.cast(tf.notEqual(inputs['inputIds'] as tf.Tensor, 0), 'float32')
    const wanted = tf.oneHot(tf.cast(labels as tf.Tensor, 'int32'), 2).expandDims(1)
    return { losses: tf.neg(tf.sum(tf.mul(wanted, tf.logSoftmax(logits as tf.Tensor)), -1)), weights }
  },
}))

const searchPaths = {
  folders: ['.'],
  registered: [...toyPlugins, headAdapter, countedModel as never, classifying, tagging],
}

type Settings = Readonly<Record<string, unknown>>
const configOf = (settings: Settings = {}, { training = {}, ...changes }: Settings = {}): never => {
  const toy = toyConfig(folder())
  return {
    ...toy,
    model: { use: countedModel, dropout: 0 },
    adapter: headAdapter,
    objective: classifying,
    training: { ...toy.training, ...(training as object), ...settings },
    ...changes,
  } as never
}

const events = (config: never, options: object = {}): Promise<RunEvent[]> =>
  lastValueFrom(run(config, { searchPaths, ...options }).pipe(toArray()))
const lossesIn = (seen: readonly RunEvent[]): number[] =>
  seen.flatMap((event) => (event.type === 'step.completed' ? [event.loss] : []))
const scoresIn = (seen: readonly RunEvent[]): number[] =>
  seen.flatMap((event) => (event.type === 'evaluation.completed' ? [event.scores['loss']!.value as number] : []))
const modelIn = ({ directory }: { directory: string }): Map<string, Float32Array> => {
  const path = join(directory, 'model', 'model.safetensors')
  const { tensors } = decodeSafetensors(readFileSync(path), path)
  return new Map(leaves(tensors as HostTree, isHostArray).map(([name, { values }]) => [name, values as Float32Array]))
}

function expectSame(first: never, second: never, digits: number): void {
  const [a, b] = [modelIn(first), modelIn(second)]
  expect([...a.keys()]).toEqual([...b.keys()])
  for (const [name, values] of a)
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(b.get(name)![i]!, digits)
}

describe('training.cacheOutputs', () => {
  it('trains to the same losses, scores and weights as without a cache, and runs the model once per text', async () => {
    const [plain, cached] = [configOf(), configOf({ cacheOutputs: true })]
    forwards = 0
    const expected = await events(plain)
    const [uncached] = [forwards]
    forwards = 0
    const found = await events(cached)
    const [losses, wanted] = [lossesIn(found), lossesIn(expected)]
    expect(losses).toHaveLength(24)
    for (const [i, loss] of losses.entries()) expect(loss).toBeCloseTo(wanted[i]!, 6)
    for (const [i, score] of scoresIn(found).entries()) expect(score).toBeCloseTo(scoresIn(expected)[i]!, 6)
    expectSame(plain, cached, 6)
    // 60 training and 20 validation texts in batches of 8, and two passes that only look at the head.
    expect(forwards).toBeLessThanOrEqual(8 + 3 + 2)
    expect(uncached).toBeGreaterThan(24)
  })

  it('handles micro-batches and per-token outputs of different lengths', async () => {
    for (const settings of [{}, { microBatchSize: 3 }]) {
      const plain = configOf(settings, { objective: tagging })
      const cached = configOf({ ...settings, cacheOutputs: true }, { objective: tagging })
      const [expected, found] = [lossesIn(await events(plain)), lossesIn(await events(cached))]
      for (const [i, loss] of found.entries()) expect(loss).toBeCloseTo(expected[i]!, 6)
      expectSame(plain, cached, 6)
    }
  })

  it('keeps outputs beyond the memory in a file of the run folder, which is removed at the end', async () => {
    const inMemory = configOf({ cacheOutputs: true }, { objective: tagging })
    const inFile = configOf({ cacheOutputs: true, cacheMemory: 0 }, { objective: tagging })
    const path = join((inFile as { directory: string }).directory, 'outputs.cache')
    const filed: boolean[] = []
    const kept = run(inFile, { searchPaths })
    const seen: RunEvent[] = []
    await kept.forEach((event) => {
      seen.push(event)
      if (event.type === 'step.completed') filed.push(existsSync(path))
    })
    expect(lossesIn(seen)).toEqual(lossesIn(await events(inMemory)))
    expect(new Set(filed)).toEqual(new Set([true]))
    expect(existsSync(path)).toBe(false)
    expectSame(inMemory, inFile, 10)
  })

  it('resumes bit for bit', async () => {
    const [whole, parted] = [configOf({ cacheOutputs: true }), configOf({ cacheOutputs: true })]
    const expected = lossesIn(await events(whole))
    const commands = new Subject<Command>()
    const first: RunEvent[] = []
    await run(parted, { searchPaths, commands }).forEach((event) => {
      first.push(event)
      if (event.type === 'step.completed' && event.step === 11) commands.next({ type: 'stop', because: 'test' })
    })
    const { directory } = parted as { directory: string }
    const second = await lastValueFrom(resume(directory, { searchPaths }).pipe(toArray()))
    expect([...lossesIn(first), ...lossesIn(second)]).toEqual(expected)
    expectSame(whole, parted, 20)
  })

  it('estimates the size and the time of the outputs', async () => {
    const found = await estimateRun(configOf({ cacheOutputs: true }), { searchPaths })
    expect(found.cache).toMatchObject({ bytes: 80 * 8 * 4, location: 'memory' })
    expect(found.cache!.seconds).toBeGreaterThan(0)
    const tokens = await estimateRun(configOf({ cacheOutputs: true }, { objective: tagging }), { searchPaths })
    expect(tokens.cache!.bytes).toBeGreaterThan(80 * 3 * 8 * 4)
    expect(tokens.cache!.bytes).toBeLessThan(80 * 8 * 8 * 4)
  })

  it.each([
    ['an adapter that trains the model', { adapter: { use: headAdapter, also: 'toy.dense.bias' } }, /toy\.dense\.bias/],
    ['a loss of its own', { objective: changed('own-loss', () => ({ trainingLoss: () => ({}) })) }, /in its own way/],
    [
      'inputs that change at random',
      {
        objective: changed('masking', (toy) => ({
          collate(items, random = () => 0) {
            const { inputs, ...rest } = toy.collate(items)
            const ids = inputs['inputIds'] as { values: Int32Array }
            return {
              ...rest,
              inputs: { inputIds: { ...ids, values: ids.values.map((id) => id + Math.floor(2 * random())) } },
            } as never
          },
        })),
      },
      /at random/,
    ],
    [
      'a regularizer on the layers of the model',
      {
        regularizer: definePlugin({
          kind: REGULARIZER,
          name: 'hooking',
          summary: 'Hooks the layers',
          options: none,
          create: () => ({
            wrap: (loss) => (call) =>
              loss({ ...call, frozen: withHook(call.frozen, (_site, x, compute) => compute(x)) }),
          }),
        }),
      },
      /regularizer/,
    ],
    [
      'a head on other outputs',
      { model: stating, objective: changed('odd', () => ({ head: (_, o) => o.encoderStates! })) },
      /reads encoderStates/,
    ],
  ])('rejects %s', async (_, changes, message) => {
    const failing = events(configOf({ cacheOutputs: true }, changes))
    await expect(failing).rejects.toMatchObject({ code: 'NOT_CACHEABLE', problem: expect.stringMatching(message) })
  })

  it('rejects a cache beyond the memory in a run without a folder, and in a learner', async () => {
    const { directory: _, ...config } = configOf({ cacheOutputs: true, cacheMemory: 0.001 }) as { directory: string }
    await expect(events(config as never)).rejects.toMatchObject({ code: 'CACHE_TOO_LARGE' })
    await expect(openLearner(config as never, { searchPaths })).rejects.toMatchObject({ code: 'NOT_CACHEABLE' })
  })
})

describe('row stores', () => {
  it('return the rows that were written, by key', () => {
    const path = join(root, 'rows')
    for (const store of [memoryRowStore(), fileRowStore(path, 100)]) {
      store.write('a', Float32Array.of(1, 2, 3))
      store.write('b', Float32Array.of(-0.5))
      expect([store.has('a'), store.has('c')]).toEqual([true, false])
      expect([[...store.read('b')], [...store.read('a')]]).toEqual([[-0.5], [1, 2, 3]])
      store.close()
    }
    expect(existsSync(path)).toBe(false)
  })

  it('reject a file that is larger than the free disk space, or cannot be opened', () => {
    const free = () => ({ bavail: 2, bsize: 512, files: 9, ffree: 9 })
    const opening = () => fileRowStore(join(root, 'large'), 1025, free)
    expect(opening).toThrow(expect.objectContaining({ code: 'CACHE_TOO_LARGE' }))
    expect(opening).toThrow(/1025 bytes .* got 1024/)
    expect(() => fileRowStore(root, 10, free)).toThrow(expect.objectContaining({ code: 'CANNOT_WRITE' }))
  })
})
