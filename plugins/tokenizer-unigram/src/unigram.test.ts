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

describe('training a Unigram tokenizer', () => {
  it('learns subwords with probabilities, and appends the end token as T5 does', () => {
    const tokenizer = unigram(learned)
    expect(tokenizer.vocabularySize).toBeLessThanOrEqual(100)
    expect(tokenizer.special).toEqual({ pad: 0, end: 1, unknown: 2, begin: 3, mask: 4 })
    const { ids } = tokenizer.encode('the newest')
    expect(ids.at(-1)).toBe(1)
    expect(ids.length).toBeLessThan(8)
    expect(tokenizer.decode(ids)).toBe('the newest')
  })

  it('reports the number of texts read, and the progress of pruning', async () => {
    const reported: unknown[][] = []
    const options = unigram.options.parse({ vocabularySize: 100 })
    await unigram.fit!(options, examples, undefined, (...progress) => reported.push(progress))
    expect(reported[0]).toEqual(['texts read', 1])
    const [phase, done, total] = reported.at(-1) as [string, number, number]
    expect(phase).toBe('subwords pruned')
    expect(done).toBeGreaterThanOrEqual(0)
    expect(total).toBeGreaterThanOrEqual(0)
  })

  it('reads the texts of several fields, and throws NO_TEXT if there are none', async () => {
    const both = unigram(await learn({ field: ['text', 'target'] }))
    expect(both.encode('others').ids).not.toContain(2)
    expect(unigram(learned).encode('zzz').ids).toContain(2)
    await expect(learn({ field: 'body' })).rejects.toMatchObject({ code: 'NO_TEXT' })
  })

  it('adds the tokens of the option addedTokens', () => {
    const more = unigram({ ...learned, addedTokens: ['<extra>'] })
    expect(more.encode('a <extra> b').ids).toContain(unigram(learned).vocabularySize)
  })
})

it('rejects another model type', () => {
  const { model } = learned.json as { model: object }
  const json = { ...learned.json, model: { ...model, type: 'BPE' } }
  expect(() => unigram({ json })).toThrow(expect.objectContaining({ code: 'BAD_TOKENIZER' }))
})
