import { describe, expect, it } from '@jest/globals'
import type { Example } from '@attune/core'
import { describeTokenizer } from '@attune/testkit'
import { unigram } from './unigram.js'

const TEXTS = ['low lower lowest slow', 'new newer newest', 'wide wider widest', 'the lowest and the newest, é 汉字']
async function* examples(): AsyncGenerator<Example> {
  for (let i = 0; i < 20; i++) yield await Promise.resolve({ text: TEXTS[i % TEXTS.length]!, target: 'others' })
}
const learn = (given: object = {}) => unigram.fit!(unigram.options.parse({ vocabularySize: 100, ...given }), examples)
const learned = await learn()

describeTokenizer(unigram, { options: learned })

describe('training', () => {
  it('learns pieces with probabilities, and ends texts as T5 does', () => {
    const tokenizer = unigram(learned)
    expect(tokenizer.vocabularySize).toBeLessThanOrEqual(100)
    expect(tokenizer.special).toEqual({ pad: 0, end: 1, unknown: 2, begin: 3, mask: 4 })
    const { ids } = tokenizer.encode('the newest')
    expect(ids.at(-1)).toBe(1)
    expect(ids.length).toBeLessThan(8)
    expect(tokenizer.decode(ids)).toBe('the newest')
  })

  it('reports how many texts are read, and how many pieces are still to go', async () => {
    const told: unknown[][] = []
    const options = unigram.options.parse({ vocabularySize: 100 })
    await unigram.fit!(options, examples, undefined, (...progress) => told.push(progress))
    expect(told[0]).toEqual(['texts read', 1])
    const [phase, done, total] = told.at(-1) as [string, number, number]
    expect(phase).toBe('subwords pruned')
    expect(done).toBeGreaterThanOrEqual(0)
    expect(total).toBeGreaterThanOrEqual(0)
  })

  it('takes the texts of several fields, and is refused where there are none', async () => {
    const both = unigram(await learn({ field: ['text', 'target'] }))
    expect(both.encode('others').ids).not.toContain(2)
    expect(unigram(learned).encode('zzz').ids).toContain(2)
    await expect(learn({ field: 'body' })).rejects.toMatchObject({ code: 'NO_TEXT' })
  })

  it('adds tokens that are asked for', () => {
    const more = unigram({ ...learned, addedTokens: ['<extra>'] })
    expect(more.encode('a <extra> b').ids).toContain(unigram(learned).vocabularySize)
  })
})

it('refuses another kind of model', () => {
  const { model } = learned.json as { model: object }
  const json = { ...learned.json, model: { ...model, type: 'BPE' } }
  expect(() => unigram({ json })).toThrow(expect.objectContaining({ code: 'BAD_TOKENIZER' }))
})
