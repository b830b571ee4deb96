/** Two tokens that stand side by side. */
export type TokenPair = [first: number, second: number]

/** Which pairs are wanted. */
export interface CollocationOptions {
  readonly vocabularySize: number
  /** How many pairs at most. */
  readonly count: number
  /** A pair must stand there more often than this. */
  readonly minimumCount: number
  /** Tokens that are in no pair, such as those that mark a beginning or an unknown word. */
  readonly aside?: readonly number[]
}

/** More pairs than this are not counted at once: the rarest are forgotten, as word2phrase does. */
const MOST_PAIRS = 4_000_000

/** Counts of tokens, and of pairs by `first · vocabularySize + second`. */
async function countPairs(
  texts: AsyncIterable<readonly number[]>,
  { vocabularySize, aside = [] }: CollocationOptions,
): Promise<{ readonly tokens: Float64Array; readonly pairs: ReadonlyMap<number, number> }> {
  const left = new Set(aside)
  const tokens = new Float64Array(vocabularySize)
  const pairs = new Map<number, number>()
  let least = 1
  for await (const ids of texts) {
    for (const [place, id] of ids.entries()) {
      tokens[id]!++
      const next = ids[place + 1]
      if (next === undefined || left.has(id) || left.has(next)) continue
      const pair = id * vocabularySize + next
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
    }
    while (pairs.size > MOST_PAIRS) {
      least++
      for (const [pair, count] of pairs) if (count < least) pairs.delete(pair)
    }
  }
  return { tokens, pairs }
}

/**
 * The pairs of neighbours that stand together the most beyond what their own counts would make them, the most telling first:
 * `(count(ab) − δ) / (count(a) · count(b))`, with `δ = minimumCount`, so that rare pairs are none. Texts are read once, as token ids,
 * and not held.
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
