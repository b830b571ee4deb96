import { describe, expect, it } from '@jest/globals'
import { key } from '@attune/core'
import { describeModel, readModelGoldens, referenceEngine } from '@attune/testkit'
import { bart } from './bart.js'

const goldens = readModelGoldens(bart, 'golden')
const drop = { dropout: 0.1, attentionDropout: 0.1, activationDropout: 0.1, classifierDropout: 0.1 }

describeModel(bart, { options: { ...goldens['writing']!.options, ...drop }, goldens: Object.values(goldens) })

describe('model bart', () => {
  it('has the parameters of the checkpoints, by name and shape, except for the heads', async () => {
    const engine = referenceEngine()
    await engine.start()
    for (const { options, weights } of Object.values(goldens)) {
      const params = engine.compile(() => bart(options).init(key(1)))()
      const named = (all: Readonly<Record<string, { readonly shape: readonly number[] }>>) =>
        Object.entries(all)
          .filter(([name]) => name.startsWith('model.'))
          .map(([name, { shape }]) => `${name} [${shape.join()}]`)
          .sort()
      expect(named(params)).toEqual(named(weights))
    }
    await engine.close()
  })

  it('rejects a hidden size that is not a multiple of the heads of both stacks, and an untied head', () => {
    const refusal = (problem: string) =>
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining(problem) })
    expect(() => bart({ dModel: 32, decoderAttentionHeads: 3 })).toThrow(refusal('dModel'))
    expect(() => bart({ tieWordEmbeddings: false } as never)).toThrow(refusal('tieWordEmbeddings'))
  })
})
