import { tinyTokenizer } from '@attune/testkit/tiny'
import { expect, it } from '@jest/globals'
import { withinVocabulary } from './within-vocabulary.js'

it('withinVocabulary rejects texts with tokens for which the model has no embedding', () => {
  const tokenizer = tinyTokenizer()
  const { vocabularySize } = tokenizer
  expect(withinVocabulary(tokenizer, { vocabularySize })).toBe(tokenizer)
  const last = tokenizer.token(vocabularySize - 1)!
  const smaller = withinVocabulary(
    {
      ...tokenizer,
      encode: (text) => ({ ids: [text === last ? vocabularySize - 1 : 0], typeIds: [0], truncated: false }),
    },
    { vocabularySize: vocabularySize - 1 },
  )
  expect(smaller.encode('other').ids).toEqual([0])
  expect(smaller.special).toEqual(tokenizer.special)
  expect(() => smaller.encode(last)).toThrow(
    expect.objectContaining({
      code: 'VOCABULARY_MISMATCH',
      problem: `expected the ${vocabularySize - 1} tokens of the model, got ${JSON.stringify(last)} (id ${vocabularySize - 1}) in ${JSON.stringify(last)}`,
    }),
  )
})
