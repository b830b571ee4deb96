import { expect, it } from '@jest/globals'
import { describeAdapter, referenceEngine, tinyDecoder, tinyModel } from '@attune/testkit'
import { key } from '@attune/core'
import { prefixTuning } from './prefix-tuning.js'

describeAdapter(prefixTuning, { options: { tokens: 3 }, model: tinyDecoder() })
describeAdapter(prefixTuning, { options: { tokens: 2, hiddenSize: 4 }, model: tinyDecoder() })

it('rejects a model without a KV cache', () => {
  const adapter = prefixTuning({}, { engine: referenceEngine(), randomness: key(1) })
  const [model, mismatch] = [tinyModel(), expect.objectContaining({ code: 'ADAPTER_MISMATCH' })]
  expect(() => adapter.adapt(model, model.init(key(1)))).toThrow(mismatch as never)
})
