import { deriveKey, key } from '@attune/core'
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { checkOptions, requireFinite, requireRoom, sharedOptions } from './check-options.js'
import { type Corpus, type Vocabulary, countVocabulary, unhurried } from './corpus.js'
import { type EmbeddingEvent, type UnstampedEmbeddingEvent, observed, pace } from './events.js'
import { type GloVeState, gloVeStep } from './glove-step.js'
import { type Pairs, pairTable } from './pair-table.js'
import { wordVectors } from './word-vectors.js'
import { share, xoshiro } from './xoshiro.js'

const schema = z.strictObject({
  ...sharedOptions,
  epochs: sharedOptions.epochs.default(25).describe('Passes over the pairs'),
  window: z.int().min(1).max(1000).default(10).describe('How far apart two words may be that meet'),
  maximumWeight: z.number().positive().default(100).describe('Pairs that meet as often as this, or more, weigh 1'),
  exponent: z.number().min(0).max(10).default(0.75).describe('How the weight of rarer pairs falls'),
  learningRate: z.number().positive().max(10).default(0.05).describe('Step size before AdaGrad divides it'),
  maximumPairs: z
    .int()
    .min(1)
    .max(500_000_000)
    .default(20_000_000)
    .describe('Different pairs that may be counted; more are refused'),
})

/** How to train. */
export type GloVeOptions = z.input<typeof schema>
type Options = z.output<typeof schema>

/**
 * How often words meet within a window, each time by one over their distance, in both directions: a word that meets itself
 * counts twice. Words without a vector keep their place.
 * @throws AttuneError `TOO_MANY_PAIRS`
 */
export async function countPairs(
  corpus: Corpus,
  { ids }: Pick<Vocabulary, 'ids'>,
  { window, maximumPairs }: Pick<Options, 'window' | 'maximumPairs'>,
): Promise<Pairs> {
  const table = pairTable(maximumPairs)
  for await (const text of unhurried(corpus)) {
    const row = text.map((word) => ids.get(word) ?? -1)
    for (const [at, id] of row.entries()) {
      if (id < 0) continue
      for (let before = Math.max(0, at - window); before < at; before++) {
        const other = row[before]!
        if (other >= 0) table.add(id, other, (id === other ? 2 : 1) / (at - before))
      }
    }
  }
  return table.pairs()
}

/** All uniform within ±1/(2 · size). */
function freshState(words: number, { size, seed }: Options): GloVeState {
  const draw = xoshiro(deriveKey(key(seed), 'glove', 'init'))
  const drawn = (length: number): Float32Array => {
    const values = new Float32Array(length)
    for (let i = 0; i < length; i++) values[i] = (share(draw) - 0.5) / size
    return values
  }
  const ones = (length: number): Float32Array => new Float32Array(length).fill(1)
  const both = words * size
  return {
    size,
    ...{ first: drawn(both), second: drawn(both), firstBias: drawn(words), secondBias: drawn(words) },
    squares: { first: ones(both), second: ones(both), firstBias: ones(words), secondBias: ones(words) },
  }
}

/** Every pair in both directions, a word with itself once: twice the number of the pair, and 1 where it is turned round. */
function directions({ first, second }: Pairs): Uint32Array {
  const own = first.reduce((count, a, n) => count + (a === second[n] ? 1 : 0), 0)
  const all = new Uint32Array(2 * first.length - own)
  let at = 0
  for (const [n, a] of first.entries()) {
    all[at++] = 2 * n
    if (a !== second[n]) all[at++] = 2 * n + 1
  }
  return all
}

function shuffle(order: Uint32Array, draw: () => number): void {
  for (let last = order.length - 1; last > 0; last--) {
    const chosen = Math.floor(share(draw) * (last + 1))
    const value = order[last]!
    order[last] = order[chosen]!
    order[chosen] = value
  }
}

/** Pairs between two looks at the clock. */
const STRETCH = 2 ** 15

async function* descend(state: GloVeState, pairs: Pairs, o: Options): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { breathe, secondsLeft } = pace()
  const order = directions(pairs)
  const draw = xoshiro(deriveKey(key(o.seed), 'glove', 'order'))
  const step = gloVeStep(state, o)
  for (let epoch = 0; epoch < o.epochs; epoch++) {
    shuffle(order, draw)
    let loss = 0
    for (let at = 0; at < order.length; at++) {
      const pair = order[at]! >>> 1
      const [a, b, x] = [pairs.first[pair]!, pairs.second[pair]!, pairs.weights[pair]!]
      loss += order[at]! % 2 === 0 ? step(a, b, x) : step(b, a, x)
      if ((at + 1) % STRETCH !== 0 || !(await breathe())) continue
      const part = (epoch + (at + 1) / order.length) / o.epochs
      const { epochs, learningRate } = o
      yield {
        type: 'training.progressed',
        ...{ epoch, epochs, share: part, loss: loss / (at + 1), learningRate, secondsLeft: secondsLeft(part) },
      }
    }
    requireFinite('trainGloVe', epoch, loss)
    yield { type: 'epoch.completed', epoch, loss: loss / Math.max(1, order.length), pairs: order.length }
  }
}

async function* train(corpus: Corpus, o: Options): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { seconds } = pace()
  const vocabulary = await countVocabulary(corpus, o)
  const { words, tokens } = vocabulary
  requireRoom('trainGloVe', words.length, o.size)
  yield { type: 'words.counted', tokens, words: words.length }
  const pairs = await countPairs(corpus, vocabulary, o)
  yield { type: 'pairs.counted', pairs: pairs.first.length }
  const state = freshState(words.length, o)
  yield* descend(state, pairs, o)
  const sums = state.first.map((value, i) => value + state.second[i]!)
  yield { type: 'training.completed', vectors: wordVectors(words, o.size, sums), seconds: seconds() }
}

/**
 * Trains word vectors whose products are to be the logarithms of how often two words meet; frequent pairs weigh more, up to
 * `maximumWeight`. A word's vector is the sum of its two.
 *
 * Near neighbour: word2vec reads the corpus anew for each pass and never counts pairs. The authors' program writes the pairs to
 * disk and sorts them; here they are kept in memory, up to `maximumPairs` of them.
 *
 * Source: Pennington, Socher and Manning, GloVe: Global Vectors for Word Representation, 2014, section 3; Duchi, Hazan and
 * Singer, Adaptive Subgradient Methods, 2011.
 * @returns a cold Observable, which ends with `training.completed`. Errors: AttuneError `NO_TEXT`, `TOO_MANY_PAIRS`, `NON_FINITE_LOSS`
 * @throws AttuneError `BAD_OPTIONS`
 */
export function trainGloVe(corpus: Corpus, options: GloVeOptions = {}): Observable<EmbeddingEvent> {
  const checked = checkOptions('trainGloVe', schema, options)
  return observed(() => train(corpus, checked))
}
