import { embedding, withHook } from '@attune/nn'
import { describeRegularizer, integers, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, scalar, sum, zeros } from '@tensorflow/tfjs-core'
import { neftune } from './neftune.js'

describeRegularizer(neftune, { options: { alpha: 2 } })

describe('neftune', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  /** The noise on embeddings of zeros, [8, 32, 16]. */
  async function noiseOf(alpha: number, seed: number, training = true): Promise<number[]> {
    let noisy: Tensor | undefined
    const loss = neftune({ alpha }).wrap(({ trainable, batch, hook }) => {
      noisy = embedding(withHook(trainable, hook), 'words', (batch.inputs as never)['inputIds'])
      return { sum: sum(noisy), weight: scalar(1) }
    })
    const inputIds = engine.put(integers(new Array<number>(8 * 32).fill(0), [8, 32]))
    const key = { seed: engine.put(integers([seed, 0], [2])) as Tensor, stream: 0 }
    const mode = training ? { training, key } : { training }
    loss({ trainable: { 'words.weight': zeros([2, 16]) }, frozen: {}, batch: { inputs: { inputIds } }, mode } as never)
    return [...(await engine.read(noisy!)).values].map(Number)
  }

  it('adds uniform noise of magnitude alpha / √(length · width)', async () => {
    const values = await noiseOf(3, 7)
    const magnitude = 3 / Math.sqrt(32 * 16)
    const mean = values.reduce((total, value) => total + value, 0) / values.length
    const variance = values.reduce((total, value) => total + value * value, 0) / values.length
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(magnitude)
    expect(Math.abs(mean)).toBeLessThan(0.04 * magnitude)
    expect(variance / (magnitude ** 2 / 3)).toBeCloseTo(1, 1)
  })

  it('draws the same noise for a seed and other noise for another', async () => {
    expect(await noiseOf(3, 7)).toEqual(await noiseOf(3, 7))
    expect(await noiseOf(3, 7)).not.toEqual(await noiseOf(3, 8))
  })

  it('adds none outside of training', async () => expect(new Set(await noiseOf(3, 7, false))).toEqual(new Set([0])))
})
