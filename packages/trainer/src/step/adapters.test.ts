import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  ADAPTER,
  type Adapted,
  type Adapter,
  type Encoded,
  ENGINE,
  type Engine,
  type HostArray,
  type LayerHook,
  type Mode,
  OBJECTIVE,
  type Objective,
  type Params,
  type TextInputs,
  deriveKey,
  key,
  mapParams,
} from '@attune/core'
import { addDecayedWeights, chain, gradients, normal, scaleByAdam, scaleByLearningRate, withHook } from '@attune/nn'
import { describeAdapter, expectClose, referenceEngine, textInputs, tinyModel, tinyTokenizer } from '@attune/testkit'
import { installed } from '../run/installed.test.fixture.js'
import { add, mul, sum, square, tensor1d } from '@tensorflow/tfjs-core'
import { compileStep } from './compiled-step.js'
import { dataPass } from './data-pass.js'
import { NO_CONSTANTS } from './loss-function.js'
import { dora, ia3, promptTuning } from './adapters.test.fixture.js'

describeAdapter(ia3)
describeAdapter(dora)
describeAdapter(promptTuning)

const [onnxruntime, sequenceClassification] = [
  await installed(ENGINE, 'onnxruntime'),
  await installed(OBJECTIVE, 'sequence-classification'),
]
const model = tinyModel()
const ROWS = [
  [7, 3, 9, 4],
  [5, 8],
]
const values = (array: unknown): number[] => Array.from((array as HostArray).values)

describe('layer hooks', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('replace a weight: DoRA matches m ∘ (W + B·A) / ‖W + B·A‖ computed by hand', async () => {
    const params = model.init(key(1))
    const layer = 'tiny.encoder.layer.0.attention.self.query'
    const { trainable, merge } = dora().adapt(model, params) as Adapted
    const trained = mapParams((p) => add(p, normal(key(p.size), p.shape, 0.3)), trainable)
    const host = (await engine.read({ ...params, ...trained })) as Record<string, HostArray>
    const [w, a, b, m] = ['weight', 'dora_A', 'dora_B', 'dora_m'].map((part) => host[`${layer}.${part}`]!.values)
    const expected = Array.from({ length: 8 }, (_, row) => {
      const moved = Array.from(
        { length: 8 },
        (__, i) => w![row * 8 + i]! + b![row * 2]! * a![i]! + b![row * 2 + 1]! * a![8 + i]!,
      )
      return moved.map((value) => (m![row]! * value) / Math.hypot(...moved))
    }).flat()
    const merged = (await engine.read(merge!(trained, params)[`${layer}.weight`]!)) as HostArray
    for (const [i, value] of expected.entries()) expect(merged.values[i]).toBeCloseTo(value, 5)
  })

  it('reach shared parameters, with the same gradients under gradient checkpointing', async () => {
    const params = { ...model.init(key(1)), 'tiny.shared': normal(key(2), [8], 0.5) }
    const shared: LayerHook = Object.assign(
      ((site, x, compute) => {
        const y = compute(x)
        return site.kind === 'attention' ? mul(y, site.params['tiny.shared']!) : y
      }) satisfies LayerHook,
      { reads: ['tiny.shared'] },
    )
    const found = (gradientCheckpointing: boolean) => {
      const mode: Mode = { training: true, key: { seed: tensor1d([1, 2], 'int32'), stream: 0 }, gradientCheckpointing }
      const inputs = engine.put(textInputs(ROWS)) as TextInputs
      return gradients(() => {
        const { lastHiddenState } = model.forward(withHook(params, shared), inputs, mode)
        return sum(square(add(lastHiddenState, 1)))
      }, params).grads
    }
    const [kept, again] = [await engine.read(found(false)), await engine.read(found(true))]
    expect(values((kept as Record<string, unknown>)['tiny.shared']).every((g) => g !== 0)).toBe(true)
    expectClose(again, kept, 1e-5)
  })
})

const engines: readonly (readonly [string, () => Engine])[] = [
  ['the reference engine', referenceEngine],
  ['onnxruntime', () => onnxruntime({ device: 'cpu' }) as Engine],
]

/** Takes 12 steps of AdamW, with weight decay on all parameters; returns the trainable parameters. */
async function takeTwelveSteps(engine: Engine, objective: Objective, trainable: Params, frozen: Params, masks: Params) {
  const decayed = addDecayedWeights(0.1, () => true)
  const optimizer = chain(scaleByAdam(0.9, 0.999, 1e-8), decayed, scaleByLearningRate())
  const step = compileStep(engine, { model, objective, optimizer })
  const constants = { ...NO_CONSTANTS, masks }
  let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() } as Parameters<
    typeof step.run
  >[0]
  for (let i = 1; i <= 12; i++) {
    const inputs = { learningRate: 0.01, step: i, steps: 12, seed: deriveKey(key(9), 'step', i) }
    const result = step.run(state, { frozen, constants }, [objective.collate(itemsOf(objective, i))], inputs)
    state = result.state
    engine.release({ loss: result.loss, gradientNorm: result.gradientNorm })
  }
  step.dispose()
  return (await engine.read(state.trainable)) as Record<string, HostArray>
}

const itemsOf = (objective: Objective, i: number): Encoded[] =>
  ['one two', 'three', 'two two one', 'three one'].map((text, j) =>
    objective.encode({ text, label: (i + j) % 3 === 0 ? 'x' : 'y' }),
  )

/** Adapters that choose weights, one of each kind of choice. */
const CHOICES: readonly (readonly [name: string, options: Readonly<Record<string, unknown>>])[] = [
  ['magnitude-pruning', { fraction: 0.6 }],
  ['gradient-pruning', { mode: 'freeze', score: 'fisher', batchSize: 1, fraction: 0.05 }],
  ['attention-statistics', { fraction: 0.25 }],
  ['token-rows', { count: 4, layers: 1 }],
]
const choosing = await Promise.all(CHOICES.map(([name]) => installed(ADAPTER, name)))

describe.each(engines)('update masks on %s', (_, make) => {
  const engine = make()
  let objective: Objective
  beforeAll(async () => {
    await engine.start()
    const given = { model, tokenizer: tinyTokenizer(), losses: [] }
    objective = sequenceClassification({ labels: ['x', 'y'] }, given as never) as Objective
  })
  afterAll(() => engine.close())
  const initial = (): Params => engine.compile(() => ({ ...model.init(key(3)), ...objective.init(key(4)) }))() as Params

  it('leave masked weights unchanged bit for bit after 12 steps of AdamW, and change the others', async () => {
    const trainable = initial()
    const before = (await engine.read(trainable)) as Record<string, HostArray>
    const halves = Object.fromEntries(
      Object.entries(before).map(([name, { shape, values: all }]) => [
        name,
        { shape, dtype: 'float32', values: Float32Array.from(all, (__, i) => i % 2) } as HostArray,
      ]),
    )
    const after = await takeTwelveSteps(engine, objective, trainable, {}, engine.put(halves) as Params)
    let changed = 0
    for (const [name, { values: start }] of Object.entries(before)) {
      const end = after[name]!.values
      const masked = [...start.keys()].filter((i) => i % 2 === 0)
      expect([name, masked.filter((i) => !Object.is(start[i], end[i]))]).toEqual([name, []])
      changed += [...start.keys()].filter((i) => i % 2 === 1 && start[i] !== end[i]).length
    }
    expect(changed).toBeGreaterThan(500)
  }, 60_000)

  it.each(CHOICES.map(([name, options], i) => [name, JSON.stringify(options), options, choosing[i]!] as const))(
    'of %s %s are the same when read from a checkpoint, and keep the other weights bit for bit in 12 steps of AdamW',
    async (name, __, options, plugin) => {
      const pass = (params: Params) =>
        dataPass({
          engine,
          model,
          objective,
          trainable: params,
          frozen: {},
          items: () => Readable.from(itemsOf(objective, 1)),
          batchSize: 2,
        })
      const adapt = async (choice?: Record<string, HostArray>) => {
        const params = initial()
        const input = choice === undefined ? { pass: pass(params) } : { choice }
        return await (plugin(options, { engine }) as Adapter).adapt(model, params, input)
      }
      const { trainable, frozen, masks = {}, choice } = await adapt()
      const again = await adapt(choice && ((await engine.read(choice)) as Record<string, HostArray>))
      expect(choice === undefined).toBe(name === 'magnitude-pruning')
      const read = async (of: Params) => (await engine.read(of)) as Record<string, HostArray>
      const [before, marks] = [await read(trainable), await read(masks)]
      expect([await read(again.trainable), await read(again.masks ?? {})]).toEqual([before, marks])
      expect(await read(again.frozen)).toEqual(await read(frozen))
      const after = await takeTwelveSteps(engine, objective, trainable, frozen, masks)
      const isMasked = (own: string, i: number): boolean => marks[own]?.values[i] === 0
      let [kept, changed] = [0, 0]
      for (const [own, { values: start }] of Object.entries(before))
        start.forEach((value, i) => {
          const same = Object.is(value, after[own]!.values[i])
          if (isMasked(own, i)) {
            expect([own, i, same]).toEqual([own, i, true])
            if (options['mode'] === undefined && !/statistics|token/.test(name)) expect(Object.is(value, 0)).toBe(true)
            kept++
          } else changed += Number(!same)
        })
      expect(kept).toBeGreaterThan(100)
      expect(changed).toBeGreaterThan(20)
    },
    60_000,
  )
})
