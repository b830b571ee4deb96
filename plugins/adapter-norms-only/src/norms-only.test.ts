import { type Adapted, key } from '@attune/core'
import { describeAdapter, floats, referenceEngine, tinyModel } from '@attune/testkit'
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
  const engine = referenceEngine()
  await engine.start()
  const model = tinyModel()
  const words = model.init(key(1))
  const head = { 'classifier.weight': [3, 8], 'lm_head.weight': words[model.wordEmbeddings]!.shape }
  const arrays = Object.entries(head).map(([name, shape]) => [
    name,
    floats(new Array<number>(shape[0]! * shape[1]!).fill(0), shape),
  ])
  const params = { ...words, ...engine.put(Object.fromEntries(arrays)) }
  const { trainable, frozen } = normsOnly().adapt(model, params as never) as Adapted
  expect(Object.keys(trainable).sort()).toEqual(
    ['classifier.weight', ...Object.keys(words).filter((name) => name.includes('LayerNorm.'))].sort(),
  )
  expect(Object.keys(frozen)).toContain('lm_head.weight')
  await engine.close()
})
