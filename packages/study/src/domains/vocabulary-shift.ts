/** Result of {@link vocabularyShift}. */
export interface VocabularyShift {
  /** Jaccard index of the most frequent words: |A ∩ B| / |A ∪ B|, in [0, 1]; 1 for equal vocabularies. */
  readonly jaccard: number
  /** Jensen–Shannon divergence of the word distributions in bits, in [0, 1]; 0 for equal ones. */
  readonly jensenShannon: number
  /** Fraction of the words of the target, repetitions included, that the source does not contain. */
  readonly unseen: number
}

/**
 * Words of a text in lower case: runs of letters, marks, digits and underscores. Text without blanks between words, such as Chinese, has
 * long runs.
 */
export const lowercaseWords = (text: string): readonly string[] =>
  text.toLowerCase().match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0)

/** The most frequent words; equal counts are ordered by the word. */
const mostFrequent = (counts: ReadonlyMap<string, number>, maximum: number): ReadonlySet<string> =>
  new Set(
    [...counts]
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .slice(0, maximum)
      .map(([word]) => word),
  )

function jaccardOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((word) => b.has(word)).length
  return shared / Math.max(1, a.size + b.size - shared)
}

/** Jensen–Shannon divergence in bits: the mean of the Kullback–Leibler divergences from both to their mean. */
function jensenShannonOf(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  const [wholeA, wholeB] = [total(a), total(b)]
  let sum = 0
  for (const word of new Set([...a.keys(), ...b.keys()])) {
    const [p, q] = [(a.get(word) ?? 0) / wholeA, (b.get(word) ?? 0) / wholeB]
    const mean = (p + q) / 2
    if (p > 0) sum += (p / 2) * Math.log2(p / mean)
    if (q > 0) sum += (q / 2) * Math.log2(q / mean)
  }
  return sum
}

/**
 * Difference of the vocabularies of two domains, from the counts of their words.
 *
 * Gotcha: rare words differ between any two samples, so the values depend on the number of texts. Compare them with those of two samples
 * of one domain, of the same size.
 * Source: Gururangan et al., Don't Stop Pretraining, 2020, section 3.1, for the overlap of frequent words, there without stop words and as
 * a percentage; Lin, Divergence Measures Based on the Shannon Entropy, 1991, equation 4.1.
 * @param frequent maximum number of words compared by the Jaccard index. Default: 10,000
 *
 * @example
 * ```ts
 * import { vocabularyShift } from '@attune/study'
 * const source = new Map([['good', 2], ['book', 2]])
 * const target = new Map([['good', 2], ['film', 1], ['actor', 1]])
 * console.log(vocabularyShift(source, target)) // { jaccard: 0.25, jensenShannon: 0.5, unseen: 0.5 }
 * ```
 */
export function vocabularyShift(
  source: ReadonlyMap<string, number>,
  target: ReadonlyMap<string, number>,
  frequent = 10_000,
): VocabularyShift {
  let unseen = 0
  for (const [word, count] of target) if (!source.has(word)) unseen += count
  return {
    jaccard: jaccardOf(mostFrequent(source, frequent), mostFrequent(target, frequent)),
    jensenShannon: jensenShannonOf(source, target),
    unseen: unseen / Math.max(1, total(target)),
  }
}
