import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { key } from '@attune/core'
import type { Model } from '@attune/core'
import { describeModel, readModelGoldens, referenceEngine } from '@attune/testkit'
import { bucketOf } from './relative-positions.js'
import { t5 } from './t5.js'

const goldens = readModelGoldens(t5, 'golden')
const options = { ...goldens['gated']!.options, dropoutRate: 0.1, nPositions: 24 }

describeModel(t5, { options, goldens: Object.values(goldens) })
describeModel(t5, { options: { ...goldens['t5']!.options, dropoutRate: 0.1, nPositions: 24 } })

it('assigns relative positions to the same buckets as transformers', () => {
  const { tables } = JSON.parse(readFileSync('golden/buckets.json', 'utf8')) as {
    readonly tables: readonly { count: number; maximumDistance: number; bothWays: boolean; buckets: number[] }[]
  }
  expect(tables.length).toBeGreaterThan(3)
  for (const { buckets, ...how } of tables) {
    const far = (buckets.length - 1) / 2
    expect(buckets.map((_, i) => bucketOf(i - far, how))).toEqual(buckets)
  }
})

describe('the language-modeling head', () => {
  const headOf = (given: object) => (t5(given) as Model).heads['sequence-to-sequence']!

  it('is tied and scaled in T5, and untied in T5 v1.1, Flan-T5 and mT5', () => {
    expect(headOf({ dModel: 64 })).toEqual({ architecture: 'T5ForConditionalGeneration', tensors: {}, scale: 1 / 8 })
    const own = { architecture: 'T5ForConditionalGeneration', tensors: { weight: 'lm_head.weight' } }
    expect(headOf({ tieWordEmbeddings: false })).toEqual(own)
    expect(headOf({ tieWordEmbeddings: true, scaleDecoderOutputs: false })).toEqual(own)
    expect(headOf({ modelType: 'mt5', tieWordEmbeddings: false })).toEqual({
      ...own,
      architecture: 'MT5ForConditionalGeneration',
    })
  })
})

it('initializes weights with the standard deviations of the paper’s code', async () => {
  const engine = referenceEngine()
  await engine.start()
  const small = { vocabSize: 500, dModel: 64, dKv: 16, dFf: 256, numHeads: 4, numLayers: 1, initializerFactor: 0.5 }
  const params = await engine.read(t5(small).init(key(1)))
  const deviation = (name: string): number => {
    const { values } = params[`${name}.weight`] as never as { values: Float32Array }
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
  }
  // The relative standard deviation of a deviation estimated from 4,096 numbers is 1.1 %.
  expect(deviation('shared') / 0.5).toBeCloseTo(1, 1)
  expect(deviation('decoder.block.0.layer.1.EncDecAttention.q') / (0.5 / 32)).toBeCloseTo(1, 1)
  expect(deviation('encoder.block.0.layer.0.SelfAttention.o') / (0.5 / 8)).toBeCloseTo(1, 1)
  expect(deviation('decoder.block.0.layer.2.DenseReluDense.wo') / (0.5 / 16)).toBeCloseTo(1, 1)
  await engine.close()
})

it('rejects a maximum distance that leaves no distances for the logarithmic buckets', () => {
  expect(() => t5({ relativeAttentionMaxDistance: 16 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('relativeAttentionMaxDistance') }),
  )
})
