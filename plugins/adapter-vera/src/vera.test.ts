import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, type HostArray, type Params, key } from '@attune/core'
import { describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { vera } from './vera.js'

describeAdapter(vera)
describeAdapter(vera, { options: { rank: 3, initialScale: 1, targets: 'all-linear' } })

const engine = referenceEngine()
const given = { engine, randomness: key(3) }
const model = tinyModel()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const adapted = (options: Parameters<typeof vera>[0], randomness = key(3)) =>
  vera(options, { engine, randomness }).adapt(model, model.init(key(1))) as Adapted
const sharedIn = (frozen: Params): Params =>
  Object.fromEntries(Object.entries(frozen).filter(([name]) => /vera_[AB]$/.test(name)))

describe('vera', () => {
  it('shares one pair of matrices of the size of the largest layer', () => {
    const { trainable, frozen } = adapted({ rank: 4, targets: ['query', 'intermediate.dense'] })
    expect(Object.values(sharedIn(frozen)).map(({ shape }) => shape)).toEqual([
      [4, 8],
      [12, 4],
    ])
    expect(Object.entries(trainable).map(([name, { shape }]) => [name.split('.').slice(-2).join('.'), shape])).toEqual(
      [0, 1].flatMap(() => [
        ['query.vera_lambda_b', [8]],
        ['query.vera_lambda_d', [4]],
        ['dense.vera_lambda_b', [12]],
        ['dense.vera_lambda_d', [4]],
      ]),
    )
  })

  it('initializes the matrices uniformly within ±√(6 / columns), from the key', async () => {
    const read = async (randomness: ReturnType<typeof key>) =>
      (await engine.read(sharedIn(adapted({ rank: 256 }, randomness).frozen))) as Record<string, HostArray>
    const [first, again, other] = [await read(key(1)), await read(key(1)), await read(key(2))]
    for (const { shape, values } of Object.values(first)) {
      const bound = Math.sqrt(6 / shape[1]!)
      const variance = [...values].reduce((all, x) => all + x * x, 0) / values.length
      expect(Math.max(...[...values].map(Math.abs))).toBeLessThanOrEqual(bound)
      expect(Math.abs((3 * variance) / bound ** 2 - 1)).toBeLessThan(0.15)
    }
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
  })

  it('rejects a saved adapter without its matrices, and options that differ from it', () => {
    const { trainable, config, tensors } = adapted({ rank: 4 })
    const all = tensors!(trainable)
    const load = (options: Parameters<typeof vera>[0], kept: Params) => () =>
      vera(options, given).adapt(model, model.init(key(1)), { saved: { config: config!, tensors: kept } })
    const { 'base_model.vera_A': left, ...rest } = all
    expect(left?.shape).toEqual([4, 8])
    expect(load({}, rest)).toThrow(
      expect.objectContaining({ code: 'BAD_ADAPTER', remedy: expect.stringContaining('save_projection') }),
    )
    expect(load({ rank: 5 }, all)).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
    expect(load({ targets: ['query'] }, all)).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
    expect(load({ rank: 4 }, all)()).toHaveProperty('trainable')
  })
})
