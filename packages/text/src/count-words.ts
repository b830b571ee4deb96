/**
 * Counts the words of a stream of texts. Only the counts are kept, so a corpus of any size needs memory for its distinct
 * words alone.
 * @param split cuts a text into words: a tokenizer's normalisation and pre-tokenisation
 */
export async function countWords(
  texts: AsyncIterable<string>,
  split: (text: string) => Iterable<string>,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const text of texts) for (const word of split(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}
