import { AttuneError } from '@attune/core'

/** Counts in how many texts each token stands, text by text: it holds a number for each entry of the vocabulary. */
export function documentCounter(vocabularySize: number) {
  const having = new Float64Array(vocabularySize)
  let texts = 0
  return {
    /** @throws AttuneError `BAD_ARGUMENT` for an id that the vocabulary does not have */
    add(ids: ArrayLike<number>): void {
      texts++
      for (const id of new Set(Array.from(ids))) {
        if (having[id] === undefined) throw outOfRange(id, vocabularySize)
        having[id]++
      }
    },
    texts: () => texts,
    frequencies: (): readonly number[] => Array.from(having, (count) => Math.log((1 + texts) / (1 + count)) + 1),
  }
}

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
  const counter = documentCounter(vocabularySize)
  for (const row of rows) counter.add(row)
  return counter.frequencies()
}

const outOfRange = (id: number, size: number): AttuneError =>
  new AttuneError(
    'BAD_ARGUMENT',
    `token ids lie in [0, ${size}), the vocabulary, but a text has ${id}`,
    "Pass the tokenizer's `vocabularySize` that the texts were encoded with.",
  )
