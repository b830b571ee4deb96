import { deriveKey, key } from '@attune/core'
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { aliasTable } from './alias-table.js'
import { checkOptions, requireFinite, requireRoom, sharedOptions } from './check-options.js'
import { type Corpus, type Vocabulary, countVocabulary } from './corpus.js'
import { type EmbeddingEvent, type UnstampedEmbeddingEvent, observed, pace } from './events.js'
import { type Rows, type TwoTables, negativeSampling } from './negative-sampling.js'
import { wordVectors } from './word-vectors.js'
import { share, xoshiro } from './xoshiro.js'

const schema = z.strictObject({
  ...sharedOptions,
  algorithm: z
    .enum(['skip-gram', 'cbow'])
    .default('skip-gram')
    .describe('Whether a word predicts each word around it, or the words around it together predict it'),
  window: z.int().min(1).max(1000).default(5).describe('How far a word around may be; each time up to this is drawn'),
  negatives: z.int().min(1).max(1000).default(5).describe('Words that are drawn for each word that is predicted'),
  subsampling: z
    .number()
    .min(0)
    .max(1)
    .default(1e-3)
    .describe('Words with a larger share of the corpus are left out now and then; 0 leaves none out'),
  learningRate: z
    .number()
    .positive()
    .max(10)
    .optional()
    .describe('Step size of the first step; default 0.025, with CBOW, whose gradient is divided by the window, 0.075'),
  minimumLearningRate: z.number().min(0).max(10).default(1e-4).describe('Step size of the last step'),
})

/** How to train. */
export type Word2VecOptions = z.input<typeof schema>
type Options = z.output<typeof schema>

/** The chance that an occurrence of each word is not left out: √(subsampling / share of the corpus), at most 1. */
export const keepChances = ({ counts }: Pick<Vocabulary, 'counts'>, subsampling: number): Float64Array => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (subsampling === 0 ? 1 : Math.min(1, Math.sqrt((subsampling * total) / count))))
}

/** Input vectors uniform within ±1/(2 · size), output vectors zero. */
function freshTables({ counts }: Vocabulary, { size, seed }: Options): TwoTables {
  const draw = xoshiro(deriveKey(key(seed), 'word2vec', 'init'))
  const length = counts.length * size
  const input = new Float32Array(length)
  for (let i = 0; i < length; i++) input[i] = (share(draw) - 0.5) / size
  return { size, input, output: new Float32Array(length) }
}

/** What is done with each text: it is thinned out, and every word in it meets those around it. Gives the sum of losses. */
type Read = (text: readonly string[], learningRate: number) => { readonly loss: number; readonly pairs: number }

function reader(vocabulary: Vocabulary, tables: TwoTables, { algorithm, window, ...o }: Options): Read {
  const draw = xoshiro(deriveKey(key(o.seed), 'word2vec', 'samples'))
  const negative = aliasTable(vocabulary.counts.map((count) => count ** 0.75))
  const chances = keepChances(vocabulary, o.subsampling)
  const step = negativeSampling(tables)
  const inputs: Rows = { rows: new Int32Array(2 * window), count: 0 }
  const targets: Rows = { rows: new Int32Array(1 + o.negatives), count: 0 }
  const predict = (word: number, learningRate: number): number => {
    targets.rows[0] = word
    targets.count = 1
    for (let n = 0; n < o.negatives; n++) {
      const other = negative(draw)
      if (other !== word) targets.rows[targets.count++] = other
    }
    return step(inputs, targets, learningRate)
  }
  const thinned = (text: readonly string[]): number[] =>
    text.flatMap((word) => {
      const id = vocabulary.ids.get(word)
      return id !== undefined && share(draw) < chances[id]! ? [id] : []
    })
  const read: Read = (text, learningRate) => {
    const ids = thinned(text)
    let [loss, pairs] = [0, 0]
    for (const [at, id] of ids.entries()) {
      const reach = 1 + Math.floor(share(draw) * window)
      const around = [...ids.slice(Math.max(0, at - reach), at), ...ids.slice(at + 1, at + 1 + reach)]
      if (around.length === 0) continue
      const together = algorithm === 'cbow'
      inputs.rows.set(together ? around : [id])
      inputs.count = together ? around.length : 1
      for (const word of together ? [id] : around) loss += predict(word, learningRate)
      pairs += together ? 1 : around.length
    }
    return { loss, pairs }
  }
  return read
}

/** As in word2vec's own program, and as in İrsoy et al. */
const FIRST_LEARNING_RATES = { 'skip-gram': 0.025, cbow: 0.075 } as const

/** Words between two looks at the clock. */
const STRETCH = 10_000

async function* descend(
  corpus: Corpus,
  read: Read,
  tokens: number,
  o: Options,
): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { breathe, secondsLeft } = pace()
  const { epochs, minimumLearningRate: last } = o
  const first = o.learningRate ?? FIRST_LEARNING_RATES[o.algorithm]
  let [done, stretch] = [0, 0]
  for (let epoch = 0; epoch < epochs; epoch++) {
    let [sum, pairs] = [0, 0]
    const loss = (): number => sum / Math.max(1, pairs)
    for await (const text of corpus()) {
      const part = Math.min(1, done / (epochs * tokens))
      const learningRate = first + (last - first) * part
      const result = read(text, learningRate)
      sum += result.loss
      pairs += result.pairs
      done += text.length
      stretch += text.length
      if (stretch < STRETCH) continue
      stretch = 0
      const far = { epoch, epochs, share: part, loss: loss(), learningRate, secondsLeft: secondsLeft(part) }
      if (await breathe()) yield { type: 'training.progressed', ...far }
    }
    requireFinite('trainWord2Vec', epoch, sum)
    yield { type: 'epoch.completed', epoch, loss: loss(), pairs }
  }
}

async function* train(corpus: Corpus, o: Options): AsyncGenerator<UnstampedEmbeddingEvent, void> {
  const { seconds } = pace()
  const vocabulary = await countVocabulary(corpus, o)
  const { words, tokens } = vocabulary
  requireRoom('trainWord2Vec', words.length, o.size)
  yield { type: 'words.counted', tokens, words: words.length }
  const tables = freshTables(vocabulary, o)
  yield* descend(corpus, reader(vocabulary, tables, o), tokens, o)
  yield { type: 'training.completed', vectors: wordVectors(words, o.size, tables.input), seconds: seconds() }
}

/**
 * Trains word vectors on the words around words, with negative sampling: words that are drawn by the 0.75th power of how
 * often they occur are to be told from those that stand there. Frequent words are left out now and then; the window is drawn
 * anew for each word; the step size falls linearly with the words read.
 *
 * Near neighbour: GloVe counts all pairs first. Unlike word2vec's own program, which has several threads write to the same
 * numbers, this is one thread and the same for the same seed; and the gradient of CBOW is exact (see README).
 *
 * Source: Mikolov et al., Distributed Representations of Words and Phrases and their Compositionality, 2013, sections 2.2 and
 * 2.3; Mikolov et al., Efficient Estimation of Word Representations in Vector Space, 2013, section 3.
 * @returns a cold Observable, which ends with `training.completed`. Errors: AttuneError `NO_TEXT`, `NON_FINITE_LOSS`
 * @throws AttuneError `BAD_OPTIONS`
 */
export function trainWord2Vec(corpus: Corpus, options: Word2VecOptions = {}): Observable<EmbeddingEvent> {
  const checked = checkOptions('trainWord2Vec', schema, options)
  return observed(() => train(corpus, checked))
}
