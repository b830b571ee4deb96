import { deriveKey, key } from '@attune/core'
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { aliasTable } from './alias-table.js'
import { checkOptions, requireFinite, requireFits, sharedOptions } from './check-options.js'
import { type Corpus, type Vocabulary, countVocabulary } from './corpus.js'
import { type EmbeddingEvent, type UnstampedEmbeddingEvent, observed, startTimer } from './events.js'
import { type Rows, type TwoTables, negativeSampling } from './negative-sampling.js'
import { wordVectors } from './word-vectors.js'
import { uniform, xoshiro } from './xoshiro.js'

const schema = z.strictObject({
  ...sharedOptions,
  algorithm: z
    .enum(['skip-gram', 'cbow'])
    .default('skip-gram')
    .describe('Skip-gram: a word predicts each context word. CBOW: the mean of the context predicts the word'),
  window: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('Maximum context distance; sampled from 1 to this for each word'),
  negatives: z.int().min(1).max(1000).default(5).describe('Number of negative samples for each predicted word'),
  subsampling: z
    .number()
    .min(0)
    .max(1)
    .default(1e-3)
    .describe('Frequency above which words are randomly subsampled; 0 disables subsampling'),
  learningRate: z
    .number()
    .positive()
    .max(10)
    .optional()
    .describe(
      'Initial learning rate; default 0.025 for skip-gram, 0.075 for CBOW (its gradient is divided by the context)',
    ),
  minimumLearningRate: z.number().min(0).max(10).default(1e-4).describe('Final learning rate'),
})

/** Options of {@link trainWord2Vec}. */
export type Word2VecOptions = z.input<typeof schema>
type Options = z.output<typeof schema>

/** Probability of keeping an occurrence of each word: √(subsampling / frequency), at most 1. */
export const keepProbabilities = ({ counts }: Pick<Vocabulary, 'counts'>, subsampling: number): Float64Array => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (subsampling === 0 ? 1 : Math.min(1, Math.sqrt((subsampling * total) / count))))
}

/** Initializes input vectors uniformly in ±1/(2 · size), output vectors with zeros. */
function initialTables({ counts }: Vocabulary, { size, seed }: Options): TwoTables {
  const random = xoshiro(deriveKey(key(seed), 'word2vec', 'init'))
  const length = counts.length * size
  const input = new Float32Array(length)
  for (let i = 0; i < length; i++) input[i] = (uniform(random) - 0.5) / size
  return { size, input, output: new Float32Array(length) }
}

/** Trains on one text: subsamples it and steps on every word with its context. Returns the sum of losses. */
type TextStep = (text: readonly string[], learningRate: number) => { readonly loss: number; readonly pairs: number }

function textStep(vocabulary: Vocabulary, tables: TwoTables, { algorithm, window, ...o }: Options): TextStep {
  const random = xoshiro(deriveKey(key(o.seed), 'word2vec', 'samples'))
  const negative = aliasTable(vocabulary.counts.map((count) => count ** 0.75))
  const probabilities = keepProbabilities(vocabulary, o.subsampling)
  const step = negativeSampling(tables)
  const inputs: Rows = { rows: new Int32Array(2 * window), count: 0 }
  const targets: Rows = { rows: new Int32Array(1 + o.negatives), count: 0 }
  const predict = (word: number, learningRate: number): number => {
    targets.rows[0] = word
    targets.count = 1
    for (let n = 0; n < o.negatives; n++) {
      const other = negative(random)
      if (other !== word) targets.rows[targets.count++] = other
    }
    return step(inputs, targets, learningRate)
  }
  const subsample = (text: readonly string[]): number[] =>
    text.flatMap((word) => {
      const id = vocabulary.ids.get(word)
      return id !== undefined && uniform(random) < probabilities[id]! ? [id] : []
    })
  return (text, learningRate) => {
    const ids = subsample(text)
    let [loss, pairs] = [0, 0]
    for (const [at, id] of ids.entries()) {
      const reach = 1 + Math.floor(uniform(random) * window)
      const context = [...ids.slice(Math.max(0, at - reach), at), ...ids.slice(at + 1, at + 1 + reach)]
      if (context.length === 0) continue
      const isCbow = algorithm === 'cbow'
      inputs.rows.set(isCbow ? context : [id])
      inputs.count = isCbow ? context.length : 1
      for (const word of isCbow ? [id] : context) loss += predict(word, learningRate)
      pairs += isCbow ? 1 : context.length
    }
    return { loss, pairs }
  }
}

/** Defaults of the original word2vec program, and of İrsoy et al. */
const INITIAL_LEARNING_RATES = { 'skip-gram': 0.025, cbow: 0.075 } as const

/** Number of words between two yields to the event loop. */
const YIELD_INTERVAL = 10_000

async function* runEpochs(
  corpus: Corpus,
  step: TextStep,
  tokens: number,
  o: Options,
): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { yieldToEventLoop, secondsLeft } = startTimer()
  const { epochs, minimumLearningRate: last } = o
  const first = o.learningRate ?? INITIAL_LEARNING_RATES[o.algorithm]
  let [done, sinceYield] = [0, 0]
  for (let epoch = 0; epoch < epochs; epoch++) {
    let [sum, pairs] = [0, 0]
    const loss = (): number => sum / Math.max(1, pairs)
    for await (const text of corpus()) {
      const fraction = Math.min(1, done / (epochs * tokens))
      const learningRate = first + (last - first) * fraction
      const result = step(text, learningRate)
      sum += result.loss
      pairs += result.pairs
      done += text.length
      sinceYield += text.length
      if (sinceYield < YIELD_INTERVAL) continue
      sinceYield = 0
      const progress = {
        epoch,
        epochs,
        share: fraction,
        loss: loss(),
        learningRate,
        secondsLeft: secondsLeft(fraction),
      }
      if (await yieldToEventLoop()) yield { type: 'training.progressed', ...progress }
    }
    requireFinite('trainWord2Vec', epoch, sum)
    yield { type: 'epoch.completed', epoch, loss: loss(), pairs }
  }
}

async function* train(corpus: Corpus, o: Options): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { seconds } = startTimer()
  const vocabulary = await countVocabulary(corpus, o)
  const { words, tokens } = vocabulary
  requireFits('trainWord2Vec', words.length, o.size)
  yield { type: 'words.counted', tokens, words: words.length }
  const tables = initialTables(vocabulary, o)
  yield* runEpochs(corpus, textStep(vocabulary, tables, o), tokens, o)
  yield { type: 'training.completed', vectors: wordVectors(words, o.size, tables.input), seconds: seconds() }
}

/**
 * Trains word2vec vectors: skip-gram or CBOW with negative sampling. Negatives are sampled with the 0.75th power of the word
 * frequency. Frequent words are subsampled, the window size is sampled for each word, and the learning rate decays linearly with
 * the words read.
 *
 * Near neighbour: GloVe counts all pairs first. Unlike the original word2vec program, which updates shared values from several
 * threads, training is single-threaded and deterministic, and the CBOW gradient is exact (see README).
 *
 * Source: Mikolov et al., Distributed Representations of Words and Phrases and their Compositionality, 2013, sections 2.2 and
 * 2.3; Mikolov et al., Efficient Estimation of Word Representations in Vector Space, 2013, section 3.
 * @returns a cold Observable that ends with `training.completed`. Errors: AttuneError `NO_TEXT`, `NON_FINITE_LOSS`
 * @throws AttuneError `BAD_OPTIONS`
 *
 * @example
 * ```ts
 * import { trainWord2Vec } from '@attune/embeddings'
 * import { lastValueFrom } from 'rxjs'
 * const corpus = () => [['red', 'and', 'blue'], ['milk', 'and', 'bread']]
 * const last = await lastValueFrom(trainWord2Vec(corpus, { size: 8, minimumCount: 1, seed: 1 }))
 * if (last.type === 'training.completed') console.log(last.vectors.words) // [ 'and', 'blue', 'bread', 'milk', 'red' ]
 * ```
 */
export function trainWord2Vec(corpus: Corpus, options: Word2VecOptions = {}): Observable<EmbeddingEvent> {
  const checked = checkOptions('trainWord2Vec', schema, options)
  return observed(() => train(corpus, checked))
}
