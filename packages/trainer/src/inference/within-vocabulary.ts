import { AttuneError, type Model, type Tokenizer, excerpt } from '@attune/core'

/**
 * Returns a tokenizer that rejects texts with tokens for which the model has no embedding. A saved tokenizer may have more tokens than
 * its model as long as they are not used. A tokenizer without such tokens is returned as it is.
 * @throws AttuneError (from `encode`) `VOCABULARY_MISMATCH`
 */
export function withinVocabulary(
  tokenizer: Tokenizer,
  { vocabularySize: size }: Pick<Model, 'vocabularySize'>,
): Tokenizer {
  if (size === undefined || tokenizer.vocabularySize <= size) return tokenizer
  const encode: Tokenizer['encode'] = (text, options) => {
    const encoding = tokenizer.encode(text, options)
    const unknown = encoding.ids.find((id) => id >= size)
    if (unknown === undefined) return encoding
    throw new AttuneError(
      'VOCABULARY_MISMATCH',
      `expected the ${size} tokens of the model, got ${excerpt(tokenizer.token(unknown))} (id ${unknown}) in ${excerpt(text)}`,
      'Use the tokenizer that was saved with these weights.',
    )
  }
  return Object.assign(Object.create(tokenizer) as Tokenizer, { encode })
}
