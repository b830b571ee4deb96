/** Two adjacent tokens. */
export type TokenPair = [first: number, second: number]

/** Options of collocation extraction. */
export interface CollocationOptions {
  readonly vocabularySize: number
  /** Maximum number of pairs to return. */
  readonly count: number
  /** Discounting coefficient δ. Only pairs that occur more often than this are returned. */
  readonly minimumCount: number
  /** Tokens excluded from pairs, such as beginning-of-sequence and unknown tokens. */
  readonly aside?: readonly number[]
}

/** Maximum number of distinct pairs counted at once. Beyond it the rarest are dropped, as in word2phrase. */
const MAXIMUM_PAIRS = 4_000_000

/** Counts of tokens, and of pairs under the key `first · vocabularySize + second`. */
async function countPairs(
  texts: AsyncIterable<readonly number[]>,
  { vocabularySize, aside = [] }: CollocationOptions,
): Promise<{ readonly tokens: Float64Array; readonly pairs: ReadonlyMap<number, number> }> {
  const excluded = new Set(aside)
  const tokens = new Float64Array(vocabularySize)
  const pairs = new Map<number, number>()
  let minimum = 1
  for await (const ids of texts) {
    for (const [index, id] of ids.entries()) {
      tokens[id]!++
      const next = ids[index + 1]
      if (next === undefined || excluded.has(id) || excluded.has(next)) continue
      const pair = id * vocabularySize + next
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
    }
    while (pairs.size > MAXIMUM_PAIRS) {
      minimum++
      for (const [pair, count] of pairs) if (count < minimum) pairs.delete(pair)
    }
  }
  return { tokens, pairs }
}

/**
 * Collocations: adjacent token pairs that occur more often than their individual counts predict, best first. The score is
 * `(count(ab) − δ) / (count(a) · count(b))` with `δ = minimumCount`, which excludes rare pairs. Reads the texts once, as token
 * ids, without storing them.
 * Source: Mikolov et al., Distributed Representations of Words and Phrases and their Compositionality, 2013, section 4.
 */
export async function learnCollocations(
  texts: AsyncIterable<readonly number[]>,
  options: CollocationOptions,
): Promise<TokenPair[]> {
  const { vocabularySize, count: wanted, minimumCount } = options
  const { tokens, pairs } = await countPairs(texts, options)
  return [...pairs]
    .filter(([, count]) => count > minimumCount)
    .map(([number, count]) => {
      const pair: TokenPair = [Math.floor(number / vocabularySize), number % vocabularySize]
      return { pair, number, score: (count - minimumCount) / (tokens[pair[0]]! * tokens[pair[1]]!) }
    })
    .sort((a, b) => b.score - a.score || a.number - b.number)
    .slice(0, wanted)
    .map(({ pair }) => pair)
}
