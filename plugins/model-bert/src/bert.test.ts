import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type HostArray, type Model, key } from '@attune/core'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { type ModelGolden, describeModel, referenceEngine } from '@attune/testkit'
import { bert } from './bert.js'

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
const checkpoint = 'golden/tiny-bert/model.safetensors'
const { tensors: weights } = decodeSafetensors(readFileSync(checkpoint), checkpoint)
const config = json('golden/tiny-bert/config.json') as Record<string, unknown>
const golden = { ...(json('golden/transformers-bert.json') as Omit<ModelGolden, 'weights'>), weights }
const options = { ...optionsFromConfig(bert.options, config), hiddenDropoutProb: 0.1 }

describeModel(bert, { options, goldens: [golden] })

describe('model bert', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())

  it('has the parameters of the checkpoint, by name and shape', () => {
    const params = (bert(options) as Model).init(key(1))
    const shapes = Object.entries(weights).filter(([name]) => name.startsWith('bert.'))
    expect(Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, shape]))).toEqual(
      Object.fromEntries(shapes.map(([name, { shape }]) => [name, shape])),
    )
  })

  it('initializes as transformers does: normal weights, norm scales 1, biases and the padding embedding 0', async () => {
    const padTokenId = 2
    const params = bert({ ...options, hiddenSize: 64, padTokenId, initializerRange: 0.05 }).init(key(1))
    for (const [name, { values }] of Object.entries((await engine.read(params)) as Record<string, HostArray>))
      if (name.endsWith('bias')) expect([name, ...new Set(values)]).toEqual([name, 0])
      else if (name.endsWith('LayerNorm.weight')) expect([name, ...new Set(values)]).toEqual([name, 1])
      else if (name.endsWith('dense.weight')) {
        const square = values.length * 0.05 ** 2
        const sum = Array.from(values).reduce((total, x) => total + x * x, 0)
        // The standard deviation of a sum of n squares is √(2n); five of them have a probability of one in a million.
        expect(Math.abs(sum / square - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length))
      }
    const words = (await engine.read(params['bert.embeddings.word_embeddings.weight']!)).values
    expect([...words.subarray(padTokenId * 64, (padTokenId + 1) * 64)].every((x) => x === 0)).toBe(true)
    expect([...words.subarray(0, padTokenId * 64)].every((x) => x === 0)).toBe(false)
  })

  it('rejects a hidden size that is not a multiple of the number of heads, and an unknown activation', () => {
    expect(() => bert({ hiddenSize: 30, numAttentionHeads: 4 })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('hiddenSize') }),
    )
    expect(() => bert({ hiddenAct: 'swosh' as never })).toThrow(expect.objectContaining({ code: 'BAD_OPTIONS' }))
  })

  it('has the defaults of transformers', () => {
    expect(optionsFromConfig(bert.options, { ...config, hidden_act: null })).not.toHaveProperty('hiddenAct')
    expect(bert().config).toMatchObject(json('golden/bert-config-defaults.json') as object)
  })
})
