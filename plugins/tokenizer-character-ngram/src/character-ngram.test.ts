import { describe, expect, it } from '@jest/globals'
import type { Example, Tokenizer } from '@attune/core'
import { describeTokenizer } from '@attune/testkit'
import { characterNgram } from './character-ngram.js'

const TEXTS = ['The lowest of the low, 3.5 times', 'the newest: new_words, newer ones', 'Ünïcödé é 汉字 👍🏽', 'the end']
async function* examples(): AsyncGenerator<Example> {
  for (const text of TEXTS) yield await Promise.resolve({ text, title: 'titles are other words' })
}
const learn = (options: object = {}) =>
  characterNgram.fit!(characterNgram.options.parse({ minimumFrequency: 1, ...options }), examples)
const learned = await learn()
const tokensOf = (tokenizer: Tokenizer, text: string): string[] =>
  tokenizer.encode(text, { addSpecialTokens: false }).ids.map((id) => tokenizer.token(id)!)

describeTokenizer(characterNgram, { options: learned })

describe('character n-grams', () => {
  const tokenizer = characterNgram(learned)

  it('overlap within words, with marks at both ends and offsets in the text', () => {
    expect(tokensOf(tokenizer, 'The end')).toEqual(['<th', 'the', 'he>', '<en', 'end', 'nd>'])
    const { offsets } = tokenizer.encode('The end', { offsets: true, addSpecialTokens: false })
    expect(offsets).toEqual([[0, 2], [0, 3], [1, 3], [4, 6], [4, 7], [5, 7]]) // prettier-ignore
  })

  it('include the whole word if it is shorter than an n-gram', async () => {
    const four = characterNgram(await learn({ size: 4 }))
    expect(tokensOf(four, 'é')).toEqual(['<é>'])
  })

  it('decode to the words, separated by single spaces', () => {
    expect(tokenizer.decode(tokenizer.encode('the   newest of 汉字').ids)).toBe('the newest of 汉字')
  })
})

describe('learning character n-grams', () => {
  it('reads the texts of all given fields, and throws NO_TEXT if there are none', async () => {
    const both = characterNgram(await learn({ field: ['text', 'title'] }))
    expect(both.vocabularySize).toBeGreaterThan(characterNgram(learned).vocabularySize)
    await expect(learn({ field: 'body' })).rejects.toMatchObject({ code: 'NO_TEXT' })
  })

  it('respects the vocabulary size, and returns options that have a vocabulary unchanged', async () => {
    expect(characterNgram(await learn({ vocabularySize: 12 })).vocabularySize).toBe(12)
    expect(await characterNgram.fit!(characterNgram.options.parse(learned), examples)).toEqual(
      characterNgram.options.parse(learned),
    )
  })
})
