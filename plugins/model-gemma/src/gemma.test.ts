import { describe, expect, it } from '@jest/globals'
import type { Model } from '@attune/core'
import { optionsFromConfig } from '@attune/weights'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { gemma } from './gemma.js'

const goldens = readModelGoldens(gemma, 'golden')

/** The same model with the older configuration keys that `rope_parameters` and `layer_types` replaced. */
const { ropeParameters: _, layerTypes: __, ...rest } = goldens['gemma3']!.options
const older = { ropeTheta: 1000, ropeScaling: { type: 'linear', factor: 4 }, ropeLocalBaseFreq: 100 }
const legacy = {
  ...goldens['gemma3']!,
  options: { ...rest, ...older, slidingWindowPattern: 3 },
  cases: goldens['gemma3']!.cases.map((each) => ({ ...each, options: {} })),
}

describeModel(gemma, {
  options: { ...goldens['gemma3']!.options, attentionDropout: 0.1 },
  goldens: [...Object.values(goldens), legacy],
})
describeModel(gemma, { options: { ...goldens['gemma2']!.options, attentionDropout: 0.1 } })
describeModel(gemma, { options: { ...goldens['gemma']!.options, attentionDropout: 0.1 } })
describeModel(gemma, { options: { ...goldens['both-ways']!.options, attentionDropout: 0.1 } })

describe('model gemma', () => {
  const refusal = (problem: string) =>
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(problem) })

  it('rejects heads that do not divide evenly, an odd head size, and layers without a type', () => {
    expect(() => gemma({ numAttentionHeads: 6 })).toThrow(refusal('numAttentionHeads'))
    expect(() => gemma({ headDim: 5 })).toThrow(refusal('headDim'))
    expect(() => gemma({ numHiddenLayers: 2, layerTypes: ['full_attention'] })).toThrow(refusal('layerTypes'))
    expect(() => gemma({ modelType: 'gemma', useBidirectionalAttention: true })).toThrow(refusal('gemma3_text'))
  })

  it('has the defaults of the family member', () => {
    const config = (modelType: string) => (gemma({ modelType } as never) as Model).config
    expect(config('gemma')).toMatchObject({ hidden_size: 3072, num_hidden_layers: 28, final_logit_softcapping: null })
    expect(config('gemma2')).toMatchObject({ hidden_size: 2304, num_key_value_heads: 4 })
    expect(config('gemma3_text')).toMatchObject({ vocab_size: 262_208, rope_theta: 1_000_000 })
  })

  it('saves soft caps as numbers that Python reads as floats', () => {
    const { final_logit_softcapping: logits, attn_logit_softcapping: scores } = (gemma() as Model).config
    expect(JSON.stringify([logits, scores])).toMatch(/^\[30\.0+\d+,50\.0+\d+\]$/)
    expect([logits, scores].map((cap) => Math.fround(cap as number))).toEqual([30, 50])
  })

  it('applies no soft cap to logits if the configuration is null', () => {
    const capped = (final: object) => {
      const model: Model = gemma(optionsFromConfig(gemma.options, { model_type: 'gemma2', ...final }))
      return model.heads['causal-language-modeling']!.softcap
    }
    expect(capped({})).toBe(30)
    expect(capped({ final_logit_softcapping: null })).toBeUndefined()
  })

  it('names the transformers class of a checkpoint', () => {
    const names = (modelType: string) =>
      Object.values((gemma({ modelType } as never) as Model).heads).map(({ architecture }) => architecture)
    expect(names('gemma')).toEqual(['GemmaForSequenceClassification', 'GemmaForCausalLM'])
    expect(names('gemma2')).toEqual(['Gemma2ForSequenceClassification', 'Gemma2ForCausalLM'])
    expect(names('gemma3_text')).toEqual(['Gemma3TextForSequenceClassification', 'Gemma3ForCausalLM'])
  })
})
