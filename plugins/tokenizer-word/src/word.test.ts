import { describe, expect, it } from '@jest/globals'
import type { Example, Tokenizer } from '@attune/core'
import { describeTokenizer } from '@attune/testkit'
import { word } from './word.js'

const TEXTS = ['The lowest of the low, 3.5 times', 'the newest: new_words, newer ones', 'Ünïcödé é 汉字 👍🏽', 'the end']
async function* examples(): AsyncGenerator<Example> {
  for (const text of TEXTS) yield await Promise.resolve({ text, title: 'titles are other words' })
}
const learn = (options: object = {}) => word.fit!(word.options.parse({ minimumFrequency: 1, ...options }), examples)
const learned = await learn()
const tokensOf = (tokenizer: Tokenizer, text: string): string[] =>
  tokenizer.encode(text, { addSpecialTokens: false }).ids.map((id) => tokenizer.token(id)!)

describeTokenizer(word, { options: learned })

it('reports the number of texts read', async () => {
  const reported: unknown[][] = []
  await word.fit!(word.options.parse({}), examples, undefined, (...progress) => reported.push(progress))
  expect(reported).toEqual(TEXTS.map((_, i) => ['texts read', i + 1]))
})

describe('word tokens', () => {
  const tokenizer = word(learned)

  it('are runs of letters or of other characters, in lower case, with offsets in the text', () => {
    expect(tokensOf(tokenizer, 'The low, 3.5 newest')).toEqual(['the', 'low', ',', '3', '.', '5', 'newest'])
    expect(tokensOf(tokenizer, 'an unknown word')).toEqual(['[UNK]', '[UNK]', '[UNK]'])
    const { ids, offsets } = tokenizer.encode('The end', { offsets: true })
    expect(ids).toEqual([2, tokenizer.id('the'), tokenizer.id('end'), 3])
    expect(offsets!.slice(1, 3)).toEqual([[0, 3], [4, 7]]) // prettier-ignore
  })
})

describe('learning words', () => {
  it('reads the texts of all given fields, and throws NO_TEXT if there are none', async () => {
    const both = word(await learn({ field: ['text', 'title'] }))
    expect(both.vocabularySize).toBeGreaterThan(word(learned).vocabularySize)
    await expect(learn({ field: 'body' })).rejects.toMatchObject({ code: 'NO_TEXT' })
  })

  it('respects the vocabulary size, and returns options that have a vocabulary unchanged', async () => {
    expect(word(await learn({ vocabularySize: 12 })).vocabularySize).toBe(12)
    expect(await word.fit!(word.options.parse(learned), examples)).toEqual(word.options.parse(learned))
  })
})
