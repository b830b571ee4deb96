import { AttuneError } from '@attune/core'

/** Counts document frequencies text by text, in memory proportional to the vocabulary. */
export function documentCounter(vocabularySize: number) {
  const documents = new Float64Array(vocabularySize)
  let texts = 0
  return {
    /** @throws AttuneError `BAD_ARGUMENT` for an id outside the vocabulary */
    add(ids: ArrayLike<number>): void {
      texts++
      for (const id of new Set(Array.from(ids))) {
        if (documents[id] === undefined) throw outOfRange(id, vocabularySize)
        documents[id]++
      }
    },
    texts: () => texts,
    frequencies: (): readonly number[] => Array.from(documents, (count) => Math.log((1 + texts) / (1 + count)) + 1),
  }
}

/**
 * Inverse document frequency of each token: `ln((1 + texts) / (1 + texts with the token)) + 1`, one value ≥ 1 per vocabulary entry.
 * `rows` are the token ids of the training texts only: other texts would leak the evaluation data. As in scikit-learn's
 * `TfidfTransformer` with `smooth_idf`. Source: Spärck Jones, A statistical interpretation of term specificity, 1972.
 * @throws AttuneError `BAD_ARGUMENT` for an id outside the vocabulary
 */
export function inverseDocumentFrequencies(
  rows: Iterable<ArrayLike<number>>,
  vocabularySize: number,
): readonly number[] {
  const counter = documentCounter(vocabularySize)
  for (const row of rows) counter.add(row)
  return counter.frequencies()
}

const outOfRange = (id: number, size: number): AttuneError =>
  new AttuneError(
    'BAD_ARGUMENT',
    `expected token ids in [0, ${size}), the vocabulary, got ${id}`,
    'Pass the `vocabularySize` of the tokenizer that encoded the texts.',
  )
