import type { Adapted } from '@attune/core'
import { adaptedNames, describeAdapter, tinyModel } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { normsOnly } from './norms-only.js'

describeAdapter(normsOnly)

it.each([
  'model.norm.weight',
  'model.layers.0.self_attn.q_norm.weight',
  'transformer.h.0.ln_1.bias',
  'encoder.block.0.layer.0.layer_norm.weight',
  'bert.embeddings.LayerNorm.weight',
])('counts %s as a norm', (name) => {
  const model = { ...tinyModel(), prefix: '', layers: [{ name: 'all', prefixes: [''] }] }
  const params = { [name]: { rank: 1, shape: [4] }, 'model.layers.0.mlp.up_proj.weight': { rank: 2, shape: [4, 4] } }
  expect(Object.keys((normsOnly().adapt(model, params as never) as Adapted).trainable)).toEqual([name])
})

it('trains the chosen parameters of the model and its classifier, but no language-modeling head', async () => {
  const { own, trainable, frozen } = await adaptedNames(normsOnly())
  expect(trainable).toEqual(['classifier.weight', ...own.filter((name) => name.includes('LayerNorm.'))].sort())
  expect(frozen).toContain('lm_head.weight')
})
