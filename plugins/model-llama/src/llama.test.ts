import { describe, expect, it } from '@jest/globals'
import type { Model } from '@attune/core'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { llama } from './llama.js'

const goldens = readModelGoldens(llama, 'golden')

describeModel(llama, {
  options: { ...goldens['qwen3']!.options, attentionDropout: 0.1 },
  goldens: Object.values(goldens),
})
describeModel(llama, { options: { ...goldens['mistral']!.options, attentionDropout: 0.1 } })

describe('model llama', () => {
  const refusal = (problem: string) =>
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(problem) })

  it('rejects heads that do not divide evenly, an odd head size, and layers without a type', () => {
    expect(() => llama({ numAttentionHeads: 6, numKeyValueHeads: 4 })).toThrow(refusal('numAttentionHeads'))
    expect(() => llama({ hiddenSize: 12, numAttentionHeads: 4 })).toThrow(refusal('headDim'))
    expect(() => llama({ numHiddenLayers: 2, layerTypes: ['full_attention'] })).toThrow(refusal('layerTypes'))
  })

  it('names the transformers class of a checkpoint', () => {
    const head = (modelType: string) => (llama({ modelType } as never) as Model).heads['causal-language-modeling']
    expect(['llama', 'mistral', 'qwen2', 'qwen3'].map((type) => head(type)!.architecture)).toEqual(
      ['Llama', 'Mistral', 'Qwen2', 'Qwen3'].map((name) => `${name}ForCausalLM`),
    )
  })
})
