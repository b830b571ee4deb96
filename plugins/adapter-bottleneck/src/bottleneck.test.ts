import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, type HostArray, key } from '@attune/core'
import { filledWith } from '@attune/nn'
import { describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { bottleneck } from './bottleneck.js'

describeAdapter(bottleneck, { options: { placement: 'feed-forward' } })
describeAdapter(bottleneck, { options: { placement: ['value', 'intermediate.dense'], size: 3, activation: 'relu' } })

const engine = referenceEngine()
const model = tinyModel()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const adapted = (options: Parameters<typeof bottleneck>[0], params = model.init(key(1))) =>
  bottleneck(options, { engine, randomness: key(3) }).adapt(model, params) as Adapted

describe('bottleneck', () => {
  it('adds two projections with biases after the selected layers', () => {
    const shapes = Object.entries(adapted({ placement: 'feed-forward', size: 3 }).trainable)
    expect(Object.fromEntries(shapes.map(([name, { shape }]) => [name, shape]))).toEqual(
      Object.fromEntries(
        [0, 1].flatMap((i) => {
          const at = `tiny.encoder.layer.${i}.output.dense`
          return [
            [`${at}.adapter_down.weight`, [3, 8]],
            [`${at}.adapter_down.bias`, [3]],
            [`${at}.adapter_up.weight`, [8, 3]],
            [`${at}.adapter_up.bias`, [8]],
          ]
        }),
      ),
    )
  })

  it('initializes weights from a normal distribution of deviation 0.01, truncated to two deviations, and biases to 0', async () => {
    const read = (await engine.read(adapted({ placement: ['query'], size: 500 }).trainable)) as Record<
      string,
      HostArray
    >
    for (const [name, { values }] of Object.entries(read)) {
      if (name.endsWith('.bias')) expect(values.every((value) => value === 0)).toBe(true)
      else {
        expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.02)
        // The deviation of a normal distribution truncated to two deviations is 0.8796 of the original.
        expect(Math.sqrt([...values].reduce((sum, x) => sum + x * x, 0) / values.length)).toBeCloseTo(0.008796, 3)
      }
    }
  })

  it('trains a classification head, but not a head with a row for each token', () => {
    const heads = { 'classifier.weight': filledWith([3, 8], 0), 'lm_head.weight': filledWith([128, 8], 0) }
    const { trainable, frozen } = adapted({ placement: 'feed-forward' }, { ...model.init(key(1)), ...heads })
    expect(trainable).toHaveProperty(['classifier.weight'])
    expect(frozen).toHaveProperty(['lm_head.weight'])
  })

  it('rejects unknown layers, and a model without known output projections of attention', () => {
    const refused = (options: Parameters<typeof bottleneck>[0]) => expect(() => adapted(options)).toThrow
    refused({ placement: ['output.dens'] })(expect.objectContaining({ code: 'UNKNOWN_TARGET' }))
    refused({})(expect.objectContaining({ code: 'UNKNOWN_TARGET', problem: expect.stringContaining('self-attention') }))
  })

  it('rejects options that differ from those of the saved adapter, and an invalid configuration', () => {
    const { trainable, config, tensors } = adapted({ placement: 'feed-forward', size: 3 })
    const load = (options: Parameters<typeof bottleneck>[0], changes = {}) =>
      bottleneck(options, { engine, randomness: key(3) }).adapt(model, model.init(key(1)), {
        saved: { config: { ...config!, ...changes }, tensors: tensors!(trainable) },
      })
    expect(load({})).toHaveProperty('trainable')
    for (const options of [{ size: 4 }, { activation: 'relu' as const }, { placement: ['query'] }])
      expect(() => load(options)).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
    expect(() => load({}, { activation: 'step' })).toThrow(
      expect.objectContaining({ code: 'BAD_ADAPTER', problem: expect.stringContaining('activation') }),
    )
  })
})
