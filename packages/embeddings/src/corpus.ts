import { setImmediate } from 'node:timers/promises'
import { AttuneError } from '@attune/core'

/** Texts cut into words, a text at a time. It is called once for counting and once for each pass, so nothing is kept. */
export type Corpus = () => AsyncIterable<readonly string[]> | Iterable<readonly string[]>

/** The words that get vectors, the most frequent first, and how often each occurs. */
export interface Vocabulary {
  readonly words: readonly string[]
  readonly ids: ReadonlyMap<string, number>
  readonly counts: Float64Array
  /** Words of the whole corpus, repeated ones and those without a vector counted too. */
  readonly tokens: number
}

/** Different words that are counted at once; above, rare ones are forgotten, as word2vec's own program does. */
const MOST_COUNTED = 2 ** 22

function forgetRare(counts: Map<string, number>, upTo: number): void {
  for (const [word, count] of counts) if (count <= upTo) counts.delete(word)
}

/** Words between two turns of what else the process has to do. */
const STRETCH = 100_000

/** The texts of a corpus, with a turn for other work now and then. */
export async function* unhurried(corpus: Corpus): AsyncGenerator<readonly string[], void> {
  let words = 0
  for await (const text of corpus()) {
    yield text
    words += text.length
    if (words < STRETCH) continue
    words = 0
    await setImmediate()
  }
}

/** Counts the words of a corpus. @throws AttuneError `NO_TEXT` if none is frequent enough */
export async function countVocabulary(
  corpus: Corpus,
  { minimumCount, maximumVocabulary }: { readonly minimumCount: number; readonly maximumVocabulary: number },
): Promise<Vocabulary> {
  const all = new Map<string, number>()
  let tokens = 0
  let forgotten = 0
  for await (const words of unhurried(corpus))
    for (const word of words) {
      tokens++
      all.set(word, (all.get(word) ?? 0) + 1)
      if (all.size > MOST_COUNTED) forgetRare(all, ++forgotten)
    }
  const kept = [...all]
    .filter(([, count]) => count >= minimumCount)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, maximumVocabulary)
  if (kept.length === 0)
    throw new AttuneError(
      'NO_TEXT',
      `a word must occur ${minimumCount} times to get a vector, and none of ${all.size} words does`,
      'Check that the corpus gives its texts each time it is called, or lower `minimumCount`.',
    )
  return {
    words: kept.map(([word]) => word),
    ids: new Map(kept.map(([word], id) => [word, id])),
    counts: Float64Array.from(kept, ([, count]) => count),
    tokens,
  }
}
