/** What terms are chosen by. */
export type Selection = 'count' | 'tf-idf'

/** Which terms to choose. */
export interface VocabularySelection {
  /** Terms to choose at most. */
  readonly size: number
  /** Terms that occur less often than this are not chosen. */
  readonly minimumFrequency: number
  /** Whether the most frequent terms are chosen, or those with the greatest sum of tf·idf over the documents. */
  readonly selectBy: Selection
}

interface Term {
  count: number
  documents: number
}

/**
 * Chooses a vocabulary from a stream of documents, given as their terms. Only the counts of the distinct terms are kept.
 *
 *     count:  Σ_d tf(d, t)
 *     tf-idf: Σ_d tf(d, t) · idf(t),  idf(t) = ln((1 + documents) / (1 + documents with t)) + 1
 *
 * tf is the plain number of occurrences and idf is smooth; documents are not normalised to unit length, as
 * `TfidfVectorizer(norm=None)` of scikit-learn has it. Deterministic: of equal terms the one with smaller UTF-16 units is first.
 *
 * Source: Salton and Buckley, Term-weighting approaches in automatic text retrieval, 1988.
 *
 * @returns the terms, best first; none if there were no terms
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
