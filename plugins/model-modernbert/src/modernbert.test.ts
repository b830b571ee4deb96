import { describe, expect, it } from '@jest/globals'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { modernbert } from './modernbert.js'

const goldens = readModelGoldens(modernbert, 'golden')

/** The same model with the older configuration keys that `rope_parameters` and `layer_types` replaced. */
const { ropeParameters: _, layerTypes: __, ...rest } = goldens['masked']!.options
const legacy = {
  ...goldens['masked']!,
  options: { ...rest, globalAttnEveryNLayers: 2, globalRopeTheta: 1000, localRopeTheta: 100 },
  cases: goldens['masked']!.cases.map((each) => ({ ...each, options: {} })),
}

describeModel(modernbert, {
  options: { ...goldens['mean']!.options, embeddingDropout: 0.1 },
  goldens: [...Object.values(goldens), legacy],
})
describeModel(modernbert, { options: { ...goldens['masked']!.options, mlpDropout: 0.1 } })

describe('model modernbert', () => {
  const refusal = (problem: string) =>
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(problem) })

  it('rejects a head size that is not an even integer, and layers without a type', () => {
    expect(() => modernbert({ hiddenSize: 30, numAttentionHeads: 4 })).toThrow(refusal('hiddenSize'))
    expect(() => modernbert({ hiddenSize: 12, numAttentionHeads: 4 })).toThrow(refusal('hiddenSize'))
    expect(() => modernbert({ numHiddenLayers: 2, layerTypes: ['full_attention'] })).toThrow(refusal('layerTypes'))
  })
})
