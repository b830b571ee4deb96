import { deriveKey, key } from '@attune/core'
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { checkOptions, requireFinite, requireFits, sharedOptions } from './check-options.js'
import { type Corpus, type Vocabulary, cooperative, countVocabulary } from './corpus.js'
import { type EmbeddingEvent, type UnstampedEmbeddingEvent, observed, startTimer } from './events.js'
import { type GloVeState, gloVeStep } from './glove-step.js'
import { type Pairs, pairTable } from './pair-table.js'
import { wordVectors } from './word-vectors.js'
import { uniform, xoshiro } from './xoshiro.js'

const schema = z.strictObject({
  ...sharedOptions,
  epochs: sharedOptions.epochs.default(25).describe('Passes over the pairs'),
  window: z.int().min(1).max(1000).default(10).describe('Maximum distance of two words that co-occur'),
  maximumWeight: z
    .number()
    .positive()
    .default(100)
    .describe('Co-occurrence count from which a pair has weight 1 (x_max)'),
  exponent: z.number().min(0).max(10).default(0.75).describe('Exponent of the weight of rarer pairs (alpha)'),
  learningRate: z.number().positive().max(10).default(0.05).describe('Initial AdaGrad learning rate'),
  maximumPairs: z
    .int()
    .min(1)
    .max(500_000_000)
    .default(20_000_000)
    .describe('Maximum number of distinct pairs; more are an error'),
})

/** Options of {@link trainGloVe}. */
export type GloVeOptions = z.input<typeof schema>
type Options = z.output<typeof schema>

/**
 * Counts co-occurrences within a window, weighted by the inverse distance, in both directions: a word that co-occurs with itself
 * counts twice. Words without a vector still count for distances.
 * @throws AttuneError `TOO_MANY_PAIRS`
 */
export async function countPairs(
  corpus: Corpus,
  { ids }: Pick<Vocabulary, 'ids'>,
  { window, maximumPairs }: Pick<Options, 'window' | 'maximumPairs'>,
): Promise<Pairs> {
  const table = pairTable(maximumPairs)
  for await (const text of cooperative(corpus)) {
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

/** Initializes all parameters uniformly in ±1/(2 · size). */
function initialState(words: number, { size, seed }: Options): GloVeState {
  const random = xoshiro(deriveKey(key(seed), 'glove', 'init'))
  const randomArray = (length: number): Float32Array => {
    const values = new Float32Array(length)
    for (let i = 0; i < length; i++) values[i] = (uniform(random) - 0.5) / size
    return values
  }
  const ones = (length: number): Float32Array => new Float32Array(length).fill(1)
  const length = words * size
  return {
    size,
    first: randomArray(length),
    second: randomArray(length),
    firstBias: randomArray(words),
    secondBias: randomArray(words),
    squares: { first: ones(length), second: ones(length), firstBias: ones(words), secondBias: ones(words) },
  }
}

/**
 * Returns every pair in both directions, a word with itself once. A direction is twice the index of the pair, plus 1 if it is
 * reversed.
 */
function directions({ first, second }: Pairs): Uint32Array {
  const selfPairs = first.reduce((count, a, n) => count + (a === second[n] ? 1 : 0), 0)
  const all = new Uint32Array(2 * first.length - selfPairs)
  let at = 0
  for (const [n, a] of first.entries()) {
    all[at++] = 2 * n
    if (a !== second[n]) all[at++] = 2 * n + 1
  }
  return all
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let last = order.length - 1; last > 0; last--) {
    const chosen = Math.floor(uniform(random) * (last + 1))
    const value = order[last]!
    order[last] = order[chosen]!
    order[chosen] = value
  }
}

/** Number of pairs between two yields to the event loop. */
const YIELD_INTERVAL = 2 ** 15

async function* runEpochs(state: GloVeState, pairs: Pairs, o: Options): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { yieldToEventLoop, secondsLeft } = startTimer()
  const order = directions(pairs)
  const random = xoshiro(deriveKey(key(o.seed), 'glove', 'order'))
  const step = gloVeStep(state, o)
  for (let epoch = 0; epoch < o.epochs; epoch++) {
    shuffle(order, random)
    let loss = 0
    for (let at = 0; at < order.length; at++) {
      const pair = order[at]! >>> 1
      const [a, b, x] = [pairs.first[pair]!, pairs.second[pair]!, pairs.weights[pair]!]
      loss += order[at]! % 2 === 0 ? step(a, b, x) : step(b, a, x)
      if ((at + 1) % YIELD_INTERVAL !== 0 || !(await yieldToEventLoop())) continue
      const fraction = (epoch + (at + 1) / order.length) / o.epochs
      const { epochs, learningRate } = o
      yield {
        type: 'training.progressed',
        ...{ epoch, epochs, share: fraction, loss: loss / (at + 1), learningRate, secondsLeft: secondsLeft(fraction) },
      }
    }
    requireFinite('trainGloVe', epoch, loss)
    yield { type: 'epoch.completed', epoch, loss: loss / Math.max(1, order.length), pairs: order.length }
  }
}

async function* train(corpus: Corpus, o: Options): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { seconds } = startTimer()
  const vocabulary = await countVocabulary(corpus, o)
  const { words, tokens } = vocabulary
  requireFits('trainGloVe', words.length, o.size)
  yield { type: 'words.counted', tokens, words: words.length }
  const pairs = await countPairs(corpus, vocabulary, o)
  yield { type: 'pairs.counted', pairs: pairs.first.length }
  const state = initialState(words.length, o)
  yield* runEpochs(state, pairs, o)
  const sums = state.first.map((value, i) => value + state.second[i]!)
  yield { type: 'training.completed', vectors: wordVectors(words, o.size, sums), seconds: seconds() }
}

/**
 * Trains GloVe word vectors: a weighted least-squares fit of the dot products of word vectors to the logarithms of co-occurrence
 * counts. Frequent pairs have a higher weight, up to `maximumWeight`. The result is the sum of word and context vectors.
 *
 * Near neighbour: word2vec reads the corpus in every epoch and does not count pairs. The authors' program sorts the pairs on disk;
 * here they are kept in memory, up to `maximumPairs`.
 *
 * Source: Pennington, Socher and Manning, GloVe: Global Vectors for Word Representation, 2014, section 3; Duchi, Hazan and
 * Singer, Adaptive Subgradient Methods, 2011.
 * @returns a cold Observable that ends with `training.completed`. Errors: AttuneError `NO_TEXT`, `TOO_MANY_PAIRS`, `NON_FINITE_LOSS`
 * @throws AttuneError `BAD_OPTIONS`
 */
export function trainGloVe(corpus: Corpus, options: GloVeOptions = {}): Observable<EmbeddingEvent> {
  const checked = checkOptions('trainGloVe', schema, options)
  return observed(() => train(corpus, checked))
}
