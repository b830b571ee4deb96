import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { key } from '@attune/core'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { electra } from './electra.js'

const goldens = readModelGoldens(electra, 'golden')

describeModel(electra, {
  options: { ...goldens['classification']!.options, hiddenDropoutProb: 0.1 },
  goldens: Object.values(goldens),
})

it('rejects a hidden size that is not a multiple of the number of heads', () => {
  expect(() => electra({ hiddenSize: 30, numAttentionHeads: 4 })).toThrow(
    expect.objectContaining({ code: 'BAD_OPTIONS' }),
  )
})

it('has the defaults of transformers', () => {
  expect(electra().config).toMatchObject(JSON.parse(readFileSync('golden/config-defaults.json', 'utf8')) as object)
})

it('projects the embeddings only if they have another size than the hidden states', () => {
  const projections = (embeddingSize: number): string[] =>
    Object.keys(
      electra({ vocabSize: 9, embeddingSize, hiddenSize: 8, numHiddenLayers: 1, intermediateSize: 8 }).init(key(1)),
    ).filter((name) => name.includes('embeddings_project'))
  expect([projections(4), projections(8)]).toEqual([
    ['electra.embeddings_project.weight', 'electra.embeddings_project.bias'],
    [],
  ])
})
