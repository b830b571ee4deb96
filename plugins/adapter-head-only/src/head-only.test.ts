import type { Model } from '@attune/core'
import { normal } from '@attune/nn'
import { adaptedNames, describeAdapter, tinyModel } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { matMul } from '@tensorflow/tfjs-core'
import { headOnly } from './head-only.js'

/** The tiny model with a linear layer on its pooled output, as a head. */
function withHead(): Model {
  const model = tinyModel()
  return {
    ...model,
    layers: [...model.layers, { name: 'head', prefixes: ['classifier.'] }],
    init: (from) => ({ ...model.init(from), 'classifier.weight': normal(from, [8, 8], 1) }),
    forward(params, inputs, mode) {
      const outputs = model.forward(params, inputs, mode)
      return { ...outputs, pooled: matMul(outputs.pooled, params['classifier.weight']!) }
    },
  }
}

describeAdapter(headOnly, { model: withHead() })

it('rejects a model without a head', () => {
  expect(() => headOnly().adapt(tinyModel(), { 'tiny.pooler.dense.bias': { rank: 1, shape: [8] } } as never)).toThrow(
    expect.objectContaining({ code: 'NOTHING_TRAINS', problem: expect.stringContaining('tiny.pooler.dense.bias') }),
  )
})

it('trains the chosen parameters of the model and its classifier, but no language-modeling head', async () => {
  const { trainable, frozen } = await adaptedNames(headOnly())
  expect(trainable).toEqual(['classifier.weight'])
  expect(frozen).toContain('lm_head.weight')
})
