import { adaptedNames, describeAdapter } from '@attune/testkit'
import { expect, it } from '@jest/globals'
import { attentionOnly } from './attention-only.js'

describeAdapter(attentionOnly)

it('trains the chosen parameters of the model and its classifier, but no language-modeling head', async () => {
  const { own, trainable, frozen } = await adaptedNames(attentionOnly())
  expect(trainable).toEqual(['classifier.weight', ...own.filter((name) => name.includes('.attention.'))].sort())
  expect(frozen).toContain('lm_head.weight')
})
