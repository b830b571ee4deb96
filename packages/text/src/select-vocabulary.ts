/** Criterion for ranking terms. */
export type Selection = 'count' | 'tf-idf'

/** Options of vocabulary selection. */
export interface VocabularySelection {
  /** Maximum number of terms. */
  readonly size: number
  /** Terms that occur less often than this are left out. */
  readonly minimumFrequency: number
  /** Ranks terms by count, or by the sum of tf·idf over the documents. */
  readonly selectBy: Selection
}

interface Term {
  count: number
  documents: number
}

/**
 * Selects a vocabulary from a stream of documents, each given as its terms. Keeps only the counts of the distinct terms.
 *
 *     count:  Σ_d tf(d, t)
 *     tf-idf: Σ_d tf(d, t) · idf(t),  idf(t) = ln((1 + documents) / (1 + documents with t)) + 1
 *
 * tf is the raw count and idf is smoothed; documents are not normalized to unit length, like `TfidfVectorizer(norm=None)` of
 * scikit-learn. Deterministic: ties are ordered by UTF-16 units.
 *
 * Source: Salton and Buckley, Term-weighting approaches in automatic text retrieval, 1988.
 *
 * @returns the terms, best first; empty if there were no terms
 */
export async function selectVocabulary(
  documents: AsyncIterable<Iterable<string>>,
  { size, minimumFrequency, selectBy }: VocabularySelection,
): Promise<string[]> {
  const terms = new Map<string, Term>()
  let total = 0
  for await (const document of documents) {
    total++
    const seen = new Set<string>()
    for (const term of document) {
      const known = terms.get(term) ?? { count: 0, documents: 0 }
      known.count++
      if (!seen.has(term)) known.documents++
      seen.add(term)
      terms.set(term, known)
    }
  }
  const weigh = ({ count, documents: having }: Term): number =>
    selectBy === 'count' ? count : count * (Math.log((1 + total) / (1 + having)) + 1)
  return [...terms]
    .filter(([, { count }]) => count >= minimumFrequency)
    .map(([term, counts]) => ({ term, weight: weigh(counts) }))
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, size)
    .map(({ term }) => term)
}
