import { describe, expect, it } from '@jest/globals'
import type { Tokenizer } from '@attune/core'
import { classificationItems, textOrName } from './classification-items.js'
import { learnLabels } from './labels.js'

const tokenizer = {
  special: { pad: 9 },
  encode(text: string, { pair = '', maximumLength = Infinity }: { pair?: string; maximumLength?: number } = {}) {
    const ids = [...`${text}${pair}`].map(Number)
    const kept = ids.slice(0, maximumLength)
    return { ids: kept, typeIds: kept.map((_, i) => (i < text.length ? 0 : 1)), truncated: kept.length < ids.length }
  },
} as unknown as Tokenizer

describe('classificationItems', () => {
  const settings = { tokenizer, text: 'a', pair: 'b', maximumLength: 5, padToMultipleOf: 4 }
  const examples = [
    { a: '12', b: '3' },
    { a: '1', b: 2 },
  ]

  it('encodes texts and pairs and collates a padded batch with class ids', () => {
    const { encode, collate } = classificationItems(settings)
    const items = examples.map((example, i) => encode(example, i))
    expect(items[0]).toEqual({ ids: [1, 2, 3], typeIds: [0, 0, 1], truncated: false, length: 3, label: 0 })
    const { inputs, labels } = collate(items)
    expect([...inputs.inputIds.values]).toEqual([1, 2, 3, 9, 1, 2, 9, 9])
    expect([...inputs.tokenTypeIds.values]).toEqual([0, 0, 1, 0, 0, 1, 0, 0])
    expect(labels).toEqual({ shape: [2], dtype: 'int32', values: Int32Array.of(0, 1) })
    expect(encode({ a: '123456', b: '' }, 0)).toMatchObject({ length: 5, truncated: true })
  })

  it('collates float targets for regression and multi-label indicators', () => {
    const regression = classificationItems({ ...settings, compares: 'numbers' })
    const values = regression.collate(examples.map((example, i) => regression.encode(example, i + 0.5))).labels
    expect(values).toEqual({ shape: [2], dtype: 'float32', values: Float32Array.of(0.5, 1.5) })
    const several = classificationItems<readonly number[]>({ ...settings, compares: 'indicators' })
    const rows = several.collate(examples.map((example, i) => several.encode(example, [i, 1, 0]))).labels
    expect(rows).toEqual({ shape: [2, 3], dtype: 'float32', values: Float32Array.of(0, 1, 0, 1, 1, 0) })
  })

  it('rejects targets of different lengths and a missing field', () => {
    const { encode, collate } = classificationItems<readonly number[]>({ ...settings, compares: 'vectors' })
    const items = examples.map((example, i) => encode(example, new Array<number>(i + 1).fill(0)))
    expect(() => collate(items)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
    expect(() => encode({ a: '1' }, [])).toThrow(expect.objectContaining({ code: 'MISSING_FIELD' }))
    expect(() => textOrName({ labels: ['a', 'b'] }, 'labels', 'label')).toThrow(
      expect.objectContaining({
        problem: 'expected a text or name in field "labels" of an example, got a list: ["a","b"]',
        remedy: 'Convert the values of "labels" to texts, or name another field in the objective\'s options.',
      }),
    )
  })
})

it('learnLabels returns the distinct names in sorted order', async () => {
  async function* examples() {
    yield* [{ kind: 'b' }, { kind: 2 }, { kind: 'b' }, { kind: true }]
  }
  expect(await learnLabels(examples(), (each) => [textOrName(each, 'kind')])).toEqual(['2', 'b', 'true'])
})
