import { describe, expect, it } from '@jest/globals'
import type { Example, Tokenizer } from '@attune/core'
import { describeTokenizer } from '@attune/testkit'
import { character } from './character.js'

const TEXTS = ['The lowest of the low, 3.5 times', 'the newest: new_words, newer ones', 'Ünïcödé é 汉字 👍🏽', 'the end']
async function* examples(): AsyncGenerator<Example> {
  for (const text of TEXTS) yield await Promise.resolve({ text, title: 'titles are other words' })
}
const learn = (options: object = {}) =>
  character.fit!(character.options.parse({ minimumFrequency: 1, ...options }), examples)
const learned = await learn()
const tokensOf = (tokenizer: Tokenizer, text: string): string[] =>
  tokenizer.encode(text, { addSpecialTokens: false }).ids.map((id) => tokenizer.token(id)!)

describeTokenizer(character, { options: learned })

describe('character tokens', () => {
  const tokenizer = character(learned)

  it('are code points, including spaces, and decode to the text', () => {
    expect(tokensOf(tokenizer, 'é 👍')).toEqual(['é', ' ', '👍'])
    expect(tokenizer.decode(tokenizer.encode('the  newest of 汉字').ids)).toBe('the  newest of 汉字')
  })
})

describe('learning characters', () => {
  it('reads the texts of all given fields, and throws NO_TEXT if there are none', async () => {
    const both = character(await learn({ field: ['text', 'title'] }))
    expect(both.vocabularySize).toBeGreaterThan(character(learned).vocabularySize)
    await expect(learn({ field: 'body' })).rejects.toMatchObject({ code: 'NO_TEXT' })
  })

  it('respects the vocabulary size, and returns options that have a vocabulary unchanged', async () => {
    expect(character(await learn({ vocabularySize: 12 })).vocabularySize).toBe(12)
    expect(await character.fit!(character.options.parse(learned), examples)).toEqual(character.options.parse(learned))
  })
})
