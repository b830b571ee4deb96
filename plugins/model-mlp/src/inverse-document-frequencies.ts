import { AttuneError } from '@attune/core'

/**
 * How telling each token is: `ln((1 + texts) / (1 + texts with the token)) + 1`, one number for each entry of the
 * vocabulary, at least 1. `rows` are the token ids of the training texts, and of these alone, or the evaluation is told
 * what it should find out. As scikit-learn's `TfidfTransformer` with `smooth_idf`.
 * Source: Spärck Jones, A statistical interpretation of term specificity, 1972.
 * @throws AttuneError `BAD_ARGUMENT` for an id that the vocabulary does not have
 */
export function inverseDocumentFrequencies(
  rows: Iterable<ArrayLike<number>>,
  vocabularySize: number,
): readonly number[] {
  const having = new Float64Array(vocabularySize)
  let texts = 0
  for (const row of rows) {
    texts++
    for (const id of new Set(Array.from(row))) {
      if (having[id] === undefined) throw outOfRange(id, vocabularySize)
      having[id]++
    }
  }
  return Array.from(having, (count) => Math.log((1 + texts) / (1 + count)) + 1)
}

const outOfRange = (id: number, size: number): AttuneError =>
  new AttuneError(
    'BAD_ARGUMENT',
    `token ids lie in [0, ${size}), the vocabulary, but a text has ${id}`,
    "Pass the tokenizer's `vocabularySize` that the texts were encoded with.",
  )
