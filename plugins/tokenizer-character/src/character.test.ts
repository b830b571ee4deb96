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

describe('characters', () => {
  const tokenizer = character(learned)

  it('are code points, spaces too, and give back the text', () => {
    expect(tokensOf(tokenizer, 'é 👍')).toEqual(['é', ' ', '👍'])
    expect(tokenizer.decode(tokenizer.encode('the  newest of 汉字').ids)).toBe('the  newest of 汉字')
  })
})

describe('learning', () => {
  it('takes the texts of all fields that are named, and is refused where there are none', async () => {
    const both = character(await learn({ field: ['text', 'title'] }))
    expect(both.vocabularySize).toBeGreaterThan(character(learned).vocabularySize)
    await expect(learn({ field: 'body' })).rejects.toMatchObject({ code: 'NO_TEXT' })
  })

  it('keeps to the size, and leaves the options alone where there is a vocabulary', async () => {
    expect(character(await learn({ vocabularySize: 12 })).vocabularySize).toBe(12)
    expect(await character.fit!(character.options.parse(learned), examples)).toEqual(character.options.parse(learned))
  })
})
