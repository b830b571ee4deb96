import { adaptedNames, describeAdapter } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { bitfit } from './bitfit.js'

describeAdapter(bitfit)

it('trains the chosen parameters of the model and its classifier, but no language-modeling head', async () => {
  const { own, trainable, frozen } = await adaptedNames(bitfit())
  expect(trainable).toEqual(['classifier.weight', ...own.filter((name) => name.endsWith('.bias'))].sort())
  expect(frozen).toContain('lm_head.weight')
})
