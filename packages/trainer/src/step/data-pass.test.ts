import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  ENGINE,
  type Engine,
  type HostArray,
  OBJECTIVE,
  type Objective,
  type Batch,
  type OnDevice,
  type Params,
  type TextInputs,
  type Tree,
  key,
  mapParams,
} from '@attune/core'
import { gradients, reduceLosses } from '@attune/nn'
import { expectClose, referenceEngine, tinyModel, tinyTokenizer } from '@attune/testkit'
import { installed } from '../run/installed.test.fixture.js'
import { type Tensor, add, div, log, mul, neg, scalar, square, sum, zeros, zerosLike } from '@tensorflow/tfjs-core'
import { dataPass } from './data-pass.js'

const [onnxruntime, sequenceClassification] = [
  await installed(ENGINE, 'onnxruntime'),
  await installed(OBJECTIVE, 'sequence-classification'),
]
const model = tinyModel()
const objective = sequenceClassification({ labels: ['x', 'y'], maximumLength: 16 }, {
  model,
  tokenizer: tinyTokenizer(),
  losses: [],
} as never) as Objective
const items = Array.from({ length: 11 }, (_, i) =>
  objective.encode({
    text: 'one two three two'
      .split(' ')
      .slice(0, 1 + (i % 4))
      .join(' '),
    label: i % 3 === 0 ? 'x' : 'y',
  }),
)
const engines: readonly (readonly [string, () => Engine])[] = [
  ['the reference engine', referenceEngine],
  ['onnxruntime', () => onnxruntime({ device: 'cpu' }) as Engine],
]

describe.each(engines)('dataPass on %s', (_, make) => {
  const engine = make()
  let trainable: Params
  let frozen: Params
  beforeAll(async () => {
    await engine.start()
    const all = engine.compile(() => ({ ...model.init(key(3)), ...objective.init(key(4)) }))() as Params
    const part = (isFrozen: boolean): Params =>
      Object.fromEntries(Object.entries(all).filter(([name]) => name.includes('position') === isFrozen))
    ;[trainable, frozen] = [part(false), part(true)]
  })
  afterAll(() => engine.close())
  const passed = () =>
    dataPass({ engine, model, objective, trainable, frozen, items: () => Readable.from(items), batchSize: 4 })

  it('sums squared per-example gradients: the Fisher information matches values computed by hand', async () => {
    const pass = passed()
    const fisher = await pass.fold(
      (params) => mapParams((p) => zerosLike(p), params),
      (sums, { gradients: grads }) => mapParams((all, g) => add(all, square(g)), sums, grads()),
      { batchSize: 1 },
    )
    const found = (await pass.read(fisher)) as unknown as Record<string, HostArray>
    pass.release(fisher)
    expect(Object.keys(found).sort()).toEqual(Object.keys(trainable).sort())
    const expected: Record<string, Float64Array> = mapParams(({ size }: Tensor) => new Float64Array(size), trainable)
    const byHand = engine.compile((t: Params, f: Params, batch: OnDevice<Batch>) => {
      const mode = { training: false } as const
      return gradients(() => {
        const all = { ...f, ...t }
        const inputs = batch.inputs as unknown as TextInputs
        const head = objective.head(all, model.forward(all, inputs, mode), mode, batch)
        const { sum: total, weight } = reduceLosses(objective.loss(head as never, batch), batch)
        return div(total, weight)
      }, t).grads
    })
    for (const item of items) {
      const grads = byHand(trainable, frozen, engine.put(objective.collate([item])) as never)
      for (const [name, { values }] of Object.entries((await engine.read(grads)) as Record<string, HostArray>))
        values.forEach((g, i) => void (expected[name]![i]! += g * g))
      engine.release(grads)
    }
    for (const [name, { values }] of Object.entries(found)) {
      const furthest = Math.max(...values.map((value, i) => Math.abs(value - expected[name]![i]!)))
      expect([name, furthest <= 1e-5 * Math.max(1e-3, ...expected[name]!)]).toEqual([name, true])
    }
  }, 60_000)

  it('keeps attention weights on request: the entropy of every head matches', async () => {
    const pass = passed()
    const state = await pass.fold(
      () => ({ 0: zeros([2]), 1: zeros([2]) }) as Record<string, Tensor>,
      (sums, { outputs }) => {
        const { attentions } = outputs(['attentions'])
        return mapParams((all, w) => add(all, neg(sum(mul(w, log(add(w, 1e-9))), [0, 2, 3]))), sums, attentions!)
      },
    )
    const found = (await pass.read(state)) as unknown as Record<string, HostArray>
    pass.release(state)
    const expected: number[][] = [
      [0, 0],
      [0, 0],
    ]
    const forward = engine.compile((p: Params, given: TextInputs) => {
      const { attentions } = model.forward(p, given, { training: false, keep: ['attentions'] })
      return attentions as Record<string, Tensor>
    })
    for (let at = 0; at < items.length; at += 4) {
      const { inputs } = objective.collate(items.slice(at, at + 4))
      const weights = await engine.read(forward({ ...frozen, ...trainable }, engine.put(inputs) as never))
      for (const [layer, { values, shape }] of Object.entries(weights as Record<string, HostArray>)) {
        const size = shape[2]! * shape[3]!
        values.forEach((w, i) => void (expected[Number(layer)]![Math.floor(i / size) % 2]! -= w * Math.log(w + 1e-9)))
      }
    }
    for (const [layer, { values }] of Object.entries(found))
      expectClose(
        { shape: [2], dtype: 'float32', values },
        { shape: [2], dtype: 'float32', values: Float32Array.from(expected[Number(layer)]!) },
        1e-3,
      )
  }, 60_000)

  it('respects the batch limit and the batch size', async () => {
    const pass = passed()
    const counted = async (how: Parameters<typeof pass.fold>[2]): Promise<number[]> => {
      const state = await pass.fold(
        (): Record<string, Tensor> => ({ batches: scalar(0), rows: scalar(0) }),
        ({ batches, rows }, { head }): Record<string, Tensor> => ({
          batches: add(batches!, 1),
          rows: add(rows!, sum(mul(head() as Tensor, 0).add(0.5))),
        }),
        how,
      )
      const { batches, rows } = (await pass.read(state)) as unknown as Record<string, HostArray>
      pass.release(state)
      return [batches!.values[0]!, rows!.values[0]!]
    }
    expect(await counted({})).toEqual([3, 11])
    expect(await counted({ batchSize: 2 })).toEqual([6, 11])
    expect(await counted({ limit: 2 })).toEqual([2, 8])
    expect(await counted({ limit: 0 })).toEqual([0, 0])
  }, 60_000)

  it('does not leak tensors over many batches', async () => {
    const pass = passed()
    const once = async (limit?: number): Promise<void> => {
      const state: Tree = await pass.fold(
        (params) => mapParams((p) => zerosLike(p), params),
        (sums, { gradients: grads, outputs }) =>
          mapParams((all, g) => add(all, mul(g, sum(outputs().pooled))), sums, grads()),
        limit === undefined ? {} : { limit },
      )
      pass.release(state)
    }
    const before = engine.live()
    await once(1)
    expect(engine.live()).toBe(before)
    await once()
    expect(engine.live()).toBe(before)
  }, 60_000)
})
