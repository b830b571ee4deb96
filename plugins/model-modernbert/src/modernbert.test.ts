import { describe, expect, it } from '@jest/globals'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { modernbert } from './modernbert.js'

const goldens = readModelGoldens(modernbert, 'golden')

/** The same model as files from before `rope_parameters` and `layer_types` say it. */
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

describe('options', () => {
  const refusal = (problem: string) =>
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(problem) })

  it('are refused where a head is no whole even number wide, or a layer has no type', () => {
    expect(() => modernbert({ hiddenSize: 30, numAttentionHeads: 4 })).toThrow(refusal('hiddenSize'))
    expect(() => modernbert({ hiddenSize: 12, numAttentionHeads: 4 })).toThrow(refusal('hiddenSize'))
    expect(() => modernbert({ numHiddenLayers: 2, layerTypes: ['full_attention'] })).toThrow(refusal('layerTypes'))
  })
})
