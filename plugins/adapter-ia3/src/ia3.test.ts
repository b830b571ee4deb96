import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, key } from '@attune/core'
import { filledWith } from '@attune/nn'
import { describeAdapter, referenceEngine, tinyModel } from '@attune/testkit'
import { ia3 } from './ia3.js'

describeAdapter(ia3)
describeAdapter(ia3, { options: { targets: ['pooler.dense'], feedforward: ['intermediate.dense'] } })

const engine = referenceEngine()
const model = tinyModel()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const adapted = (options: Parameters<typeof ia3>[0], params = model.init(key(1))) =>
  ia3(options, { engine }).adapt(model, params) as Adapted
const shapes = (options: Parameters<typeof ia3>[0]) =>
  Object.fromEntries(Object.entries(adapted(options).trainable).map(([name, { shape }]) => [name, shape]))

describe('ia3', () => {
  it('scales the outputs of keys and values, and the inputs of the second feed-forward layers', () => {
    const expected = [0, 1].flatMap((i) => [
      [`tiny.encoder.layer.${i}.attention.self.key.ia3_l`, [8, 1]],
      [`tiny.encoder.layer.${i}.attention.self.value.ia3_l`, [8, 1]],
      [`tiny.encoder.layer.${i}.output.dense.ia3_l`, [1, 12]],
    ])
    expect(shapes({})).toEqual(Object.fromEntries(expected))
    expect(shapes({ targets: ['query'], feedforward: [] })).toEqual({
      'tiny.encoder.layer.0.attention.self.query.ia3_l': [8, 1],
      'tiny.encoder.layer.1.attention.self.query.ia3_l': [8, 1],
    })
  })

  it('trains a classification head, but not a head with a row for each token', () => {
    const heads = { 'classifier.weight': filledWith([3, 8], 0), 'lm_head.weight': filledWith([128, 8], 0) }
    const { trainable, frozen } = adapted({}, { ...model.init(key(1)), ...heads })
    expect(trainable).toHaveProperty(['classifier.weight'])
    expect(frozen).toHaveProperty(['lm_head.weight'])
  })

  it('rejects unknown layers, no layers, and a layer whose input and output would be scaled', () => {
    const refused = (options: Parameters<typeof ia3>[0]) => expect(() => adapted(options)).toThrow
    refused({ targets: ['kye'] })(
      expect.objectContaining({ code: 'UNKNOWN_TARGET', remedy: expect.stringContaining('key') }),
    )
    refused({ targets: [], feedforward: [] })(
      expect.objectContaining({ code: 'UNKNOWN_TARGET', problem: expect.stringContaining('none') }),
    )
    refused({ targets: ['output.dense'] })(
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('output.dense in both') }),
    )
  })

  it('rejects options that differ from those of the saved adapter', () => {
    const { trainable, config, tensors } = adapted({})
    const load = (options: Parameters<typeof ia3>[0]) =>
      ia3(options, { engine }).adapt(model, model.init(key(1)), {
        saved: { config: config!, tensors: tensors!(trainable) },
      })
    expect(() => load({ targets: ['query'] })).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
    expect(load({ targets: ['key', 'value'] })).toHaveProperty('trainable')
  })
})
