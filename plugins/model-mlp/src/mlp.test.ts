import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { describeModel, readModelGoldens } from '@attune/testkit'
import { inverseDocumentFrequencies, mlp } from './mlp.js'

const { mean, 'tf-idf': tfIdf, sublinear } = readModelGoldens(mlp, 'golden')

describeModel(mlp, { options: { ...mean!.options, dropout: 0.3 }, goldens: [mean!] })
describeModel(mlp, { options: { ...tfIdf!.options, dropout: 0.3 }, goldens: [tfIdf!, sublinear!] })

interface IdfGolden {
  readonly source: string
  readonly vocabularySize: number
  readonly rows: readonly (readonly number[])[]
  readonly idf: readonly number[]
}

describe('inverseDocumentFrequencies', () => {
  const golden = JSON.parse(readFileSync('golden/tf-idf/idf.json', 'utf8')) as IdfGolden

  it(`agrees with ${golden.source}`, () => {
    const found = inverseDocumentFrequencies(golden.rows, golden.vocabularySize)
    expect(found).toHaveLength(golden.idf.length)
    for (const [i, expected] of golden.idf.entries()) expect(found[i]).toBeCloseTo(expected, 12)
  })

  it('refuses a token that the vocabulary does not have', () => {
    expect(() => inverseDocumentFrequencies([[1, 24]], 24)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})

it('refuses tf-idf without a number for each token', () => {
  for (const idf of [undefined, [1, 2, 3]])
    expect(() => mlp({ vocabSize: 4, input: 'tf-idf', idf })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringContaining('idf') }),
    )
})

it('learns idf from the training examples, by the tokenizer', async () => {
  const options = mlp.options.parse({ vocabSize: 3, input: 'tf-idf' })
  const tokenizer = { vocabularySize: 3, encode: (text: string) => ({ ids: [...text].map(Number) }) } as never
  async function* examples() {
    for (const text of ['012', '11', '1']) yield await Promise.resolve({ text })
  }
  const { idf } = await mlp.fit!(options, examples, () => tokenizer)
  expect(idf).toEqual(inverseDocumentFrequencies([[0, 1, 2], [1], [1]], 3))
  expect(mlp({ ...options, idf }).config).not.toHaveProperty('field')
  const none = mlp.fit!({ ...options, field: 'body' }, examples, () => tokenizer)
  await expect(none).rejects.toMatchObject({ code: 'NO_TEXT' })
})
