import { adaptedNames, describeAdapter } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { topLayers } from './top-layers.js'

describeAdapter(topLayers)
describeAdapter(topLayers, { options: { count: 99 } })

it('trains the chosen parameters of the model and its classifier, but no language-modeling head', async () => {
  const { own, trainable, frozen } = await adaptedNames(topLayers({ count: 1 }))
  expect(trainable).toEqual(['classifier.weight', ...own.filter((name) => /pooler|layer\.1\./.test(name))].sort())
  expect(frozen).toContain('lm_head.weight')
})
