import { type Adapted, key } from '@attune/core'
import { describeAdapter, floats, referenceEngine, tinyModel } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { topLayers } from './top-layers.js'

describeAdapter(topLayers)
describeAdapter(topLayers, { options: { count: 99 } })

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
  const { trainable, frozen } = topLayers({ count: 1 }).adapt(model, params as never) as Adapted
  expect(Object.keys(trainable).sort()).toEqual(
    ['classifier.weight', ...Object.keys(words).filter((name) => /pooler|layer\.1\./.test(name))].sort(),
  )
  expect(Object.keys(frozen)).toContain('lm_head.weight')
  await engine.close()
})
