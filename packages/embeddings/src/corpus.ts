import { setImmediate } from 'node:timers/promises'
import { AttuneError } from '@attune/core'

/** Returns tokenized texts, one list of words per text. Called once for counting and once for each pass; nothing is cached. */
export type Corpus = () => AsyncIterable<readonly string[]> | Iterable<readonly string[]>

/** The words that get vectors, most frequent first, with their counts. */
export interface Vocabulary {
  readonly words: readonly string[]
  readonly ids: ReadonlyMap<string, number>
  readonly counts: Float64Array
  /** Number of tokens in the corpus, including words without a vector. */
  readonly tokens: number
}

/** Maximum number of distinct words to count; beyond it rare words are pruned, as in the original word2vec program. */
const MAXIMUM_COUNTED = 2 ** 22

function pruneRare(counts: Map<string, number>, upTo: number): void {
  for (const [word, count] of counts) if (count <= upTo) counts.delete(word)
}

/** Number of words between two yields to the event loop. */
const YIELD_INTERVAL = 100_000

/** Iterates over the texts of a corpus and yields to the event loop periodically. */
export async function* cooperative(corpus: Corpus): AsyncGenerator<readonly string[], void> {
  let words = 0
  for await (const text of corpus()) {
    yield text
    words += text.length
    if (words < YIELD_INTERVAL) continue
    words = 0
    await setImmediate()
  }
}

/** Counts the words of a corpus. @throws AttuneError `NO_TEXT` if no word is frequent enough */
export async function countVocabulary(
  corpus: Corpus,
  { minimumCount, maximumVocabulary }: { readonly minimumCount: number; readonly maximumVocabulary: number },
): Promise<Vocabulary> {
  const all = new Map<string, number>()
  let tokens = 0
  let pruned = 0
  for await (const words of cooperative(corpus))
    for (const word of words) {
      tokens++
      all.set(word, (all.get(word) ?? 0) + 1)
      if (all.size > MAXIMUM_COUNTED) pruneRare(all, ++pruned)
    }
  const kept = [...all]
    .filter(([, count]) => count >= minimumCount)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, maximumVocabulary)
  if (kept.length === 0)
    throw new AttuneError(
      'NO_TEXT',
      `expected words that occur at least ${minimumCount} times, got none among ${all.size} words`,
      'Check that the corpus returns its texts on every call, or lower `minimumCount`.',
    )
  return {
    words: kept.map(([word]) => word),
    ids: new Map(kept.map(([word], id) => [word, id])),
    counts: Float64Array.from(kept, ([, count]) => count),
    tokens,
  }
}
