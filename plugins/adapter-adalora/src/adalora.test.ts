import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, type HostArray, type Hyper, type Params, type Tree, key } from '@attune/core'
import { chain, scaleByLearningRate } from '@attune/nn'
import { describeAdapter, expectClose, referenceEngine, tinyModel } from '@attune/testkit'
import { scalar, tensor1d } from '@tensorflow/tfjs-core'
import { adalora } from './adalora.js'

describeAdapter(adalora)
describeAdapter(adalora, { options: { initialRank: 3, targetRank: 2, targets: 'all-linear', orthogonality: 0 } })

const engine = referenceEngine()
const model = tinyModel()
beforeAll(() => engine.start())
afterAll(() => engine.close())

type Options = Parameters<typeof adalora>[0]
type Arrays = Readonly<Record<string, HostArray>>
interface Case {
  readonly options: Options
  readonly start: Arrays
  readonly steps: readonly { readonly gradients: Arrays; readonly factors: Arrays }[]
}
const golden = JSON.parse(readFileSync('golden/allocation.json', 'utf8')) as {
  readonly source: string
  readonly learningRate: number
  readonly cases: readonly Case[]
}

const adapted = (options: Options) =>
  adalora(options, { engine, randomness: key(3) }).adapt(model, model.init(key(1))) as Adapted
/** Arrays of the golden file under the model's names: `0.A` is the factor A of the query layer 0. */
const named = (arrays: Arrays): Record<string, HostArray> =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, values }]) => [
      `tiny.encoder.layer.${name[0]}.attention.self.query.lora_${name.at(-1)}`,
      { shape, dtype: 'float32', values: Float32Array.from(values) },
    ]),
  )
const hyperAt = (step: number, steps: number): Hyper => ({
  learningRate: scalar(golden.learningRate),
  step: scalar(step),
  steps: scalar(steps),
  seed: tensor1d([1, 2], 'int32'),
  scheduled: {},
})

describe('the allocation of ranks', () => {
  /** A compiled step of SGD under the adapter. */
  const compiled = (options: Options) => {
    const optimizer = adapted({ ...options, targets: ['query'] }).wrapOptimizer!(chain(scaleByLearningRate()))
    const step = engine.compile((params: Params, state: Tree, grads: Params, hyper: Hyper) => {
      const { updates, state: next } = optimizer.update(grads, state, params, hyper)
      return {
        params: Object.fromEntries(Object.entries(params).map(([name, p]) => [name, p.add(updates[name]!)])),
        state: next,
      }
    })
    return { optimizer, step }
  }

  it.each(golden.cases)(
    `matches ${golden.source} within 1e-5 after every step: $options`,
    async ({ options, start, steps }) => {
      const { optimizer, step } = compiled(options)
      let params = engine.put(named(start)) as Params
      let state = optimizer.init(params)
      for (const [i, { gradients, factors }] of steps.entries()) {
        const next = step(params, state, engine.put(named(gradients)) as Params, hyperAt(i + 1, steps.length))
        ;[params, state] = [next.params, next.state]
        const found = (await engine.read(params)) as unknown as Record<string, HostArray>
        const expected = named(factors)
        expectClose(Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]])), expected, 1e-5)
        const zeros = (of: Record<string, HostArray>) =>
          Object.keys(expected).map((name) => [name, [...of[name]!.values].map((value) => value === 0)])
        expect(zeros(found)).toEqual(zeros(expected))
      }
    },
  )

  it('continues from its state bit for bit', async () => {
    const { options, start, steps } = golden.cases[0]!
    const { optimizer, step } = compiled(options)
    const run = async (interrupted: boolean) => {
      let params = engine.put(named(start)) as Params
      let state = optimizer.init(params) as Tree
      for (const [i, { gradients }] of steps.entries()) {
        if (interrupted && i === 7) {
          const saved = structuredClone(await engine.read({ params, state }))
          ;({ params, state } = engine.put(saved as never) as { params: Params; state: Tree })
        }
        const next = step(params, state, engine.put(named(gradients)) as Params, hyperAt(i + 1, steps.length))
        ;[params, state] = [next.params, next.state as Tree]
      }
      return engine.read({ params, state })
    }
    expect(await run(true)).toEqual(await run(false))
  })
})

describe('adalora', () => {
  it('adds right vectors, singular values of 0, and left vectors', async () => {
    const { trainable } = adapted({ targets: ['pooler.dense'], initialRank: 5 })
    const read = (await engine.read(trainable)) as Record<string, HostArray>
    expect(Object.fromEntries(Object.entries(read).map(([name, { shape }]) => [name, shape]))).toEqual({
      'tiny.pooler.dense.lora_A': [5, 8],
      'tiny.pooler.dense.lora_E': [5, 1],
      'tiny.pooler.dense.lora_B': [8, 5],
    })
    expect([...read['tiny.pooler.dense.lora_E']!.values]).toEqual([0, 0, 0, 0, 0])
  })

  it('rejects a target above the initial rank, and phases that leave no steps for the budget', () => {
    expect(() => adapted({ initialRank: 4, targetRank: 5 })).toThrow(/targetRank/)
    expect(() => adapted({ warmup: 0.5, final: 0.5 })).toThrow(/warmup/)
  })

  it('reads an adapter whose ranks peft has reduced, and rejects other options', () => {
    const { trainable, config, tensors } = adapted({ targets: ['query'], initialRank: 3 })
    const reduced = Object.fromEntries(
      Object.entries(tensors!(trainable)).map(([name, tensor]) => {
        if (!name.includes('layer.1')) return [name, tensor]
        return [name, name.endsWith('lora_B') ? tensor.slice([0, 0], [-1, 2]) : tensor.slice([0, 0], [2, -1])]
      }),
    )
    const load = (options: Options) =>
      adalora(options, { engine, randomness: key(3) }).adapt(model, model.init(key(1)), {
        saved: { config: config!, tensors: reduced },
      }) as Adapted
    expect(load({ initialRank: 3 }).trainable['tiny.encoder.layer.1.attention.self.query.lora_E']!.shape).toEqual([
      2, 1,
    ])
    expect(() => load({ initialRank: 4 })).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
    expect(() => load({ targets: ['value'] })).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
  })
})
