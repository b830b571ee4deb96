import { describe, expect, it } from '@jest/globals'
import type { Model } from '@attune/core'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { transformer } from './transformer.js'

const goldens = readModelGoldens(transformer, 'golden')
const drop = { dropout: 0.1, attentionDropout: 0.1, activationDropout: 0.1 }

describeModel(transformer, { options: { ...goldens['paper']!.options, ...drop }, goldens: Object.values(goldens) })

describe('model transformer', () => {
  it('has the base model of table 3 of the paper as defaults', () => {
    const stack = { layers: 6, attention_heads: 8, ffn_dim: 2048 }
    const both = ['encoder', 'decoder'].flatMap((side) =>
      Object.entries(stack).map(([name, value]) => [`${side}_${name}`, value]),
    )
    const rest = { d_model: 512, dropout: 0.1, activation_function: 'relu', scale_embedding: true }
    expect((transformer() as Model).config).toMatchObject({ ...rest, ...Object.fromEntries(both) })
  })

  it('rejects stacks that do not share their embeddings, and a hidden size that is not a multiple of the heads', () => {
    const refusal = (problem: string) =>
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(problem) })
    expect(() => transformer({ decoderVocabSize: 100 })).toThrow(refusal('decoderVocabSize'))
    expect(() => transformer({ shareEncoderDecoderEmbeddings: false } as never)).toThrow(refusal('share'))
    expect(() => transformer({ dModel: 30 })).toThrow(refusal('dModel'))
  })
})
