/**
 * Counts the words of a stream of texts. Keeps only the counts: memory grows with the number of distinct words, not with the
 * size of the corpus.
 * @param split splits a text into words: the normalization and pre-tokenization of a tokenizer
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { countWords } from '@attune/text'
 * const counts = await countWords(Readable.from(['a cat', 'a dog']), (text) => text.split(' '))
 * console.log([...counts]) // [ [ 'a', 2 ], [ 'cat', 1 ], [ 'dog', 1 ] ]
 * ```
 */
export async function countWords(
  texts: AsyncIterable<string>,
  split: (text: string) => Iterable<string>,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const text of texts) for (const word of split(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}
