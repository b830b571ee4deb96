import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { countWords } from './count-words.js'
import { selectVocabulary } from './select-vocabulary.js'
import { wordsOf } from './tokenize/pipeline.js'
import { trainBpe } from './train-bpe.js'
import { trainUnigram, unigramStep } from './train-unigram.js'
import type { ScoredSubword } from './unigram-lattice.js'

interface Golden {
  readonly source: string
  readonly texts: readonly string[]
  readonly bpe: { readonly tokens: string[]; readonly merges: string[][] }
  readonly unigram: readonly ScoredSubword[]
  readonly step: {
    readonly words: Readonly<Record<string, number>>
    readonly pieces: readonly ScoredSubword[]
    readonly expected: readonly number[]
    readonly scores: readonly number[]
    readonly logLikelihood: number
  }
  readonly weighed: {
    readonly documents: readonly (readonly string[])[]
    readonly count: readonly string[]
    readonly tfIdf: readonly string[]
    readonly clear: readonly string[]
  }
}
const golden = JSON.parse(gunzipSync(readFileSync('golden/trained-vocabularies.json.gz')).toString()) as Golden

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item)
}
const file = (preTokenizer: object) => ({
  pre_tokenizer: preTokenizer,
  model: { type: 'WordLevel', unk_token: 'x', vocab: { x: 0 } },
})
const wordsBy = (preTokenizer: object, texts = golden.texts) => countWords(each(texts), wordsOf(file(preTokenizer)))

describe('trainBpe', () => {
  const training = { vocabularySize: 1500, minimumFrequency: 2, specialTokens: ['<|endoftext|>'] }
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: true }

  it(`learns the tokens and merges of ${golden.source}`, async () => {
    const { tokens, merges } = trainBpe(await wordsBy(byteLevel), training)
    expect(merges).toEqual(golden.bpe.merges)
    expect(tokens).toEqual(golden.bpe.tokens)
  })

  it('does not depend on the order of the texts', async () => {
    const again = trainBpe(await wordsBy(byteLevel, [...golden.texts].reverse()), training)
    expect(again.merges).toEqual(golden.bpe.merges)
  })
})

describe('trainUnigram', () => {
  it('unigramStep matches expected counts over all segmentations of the words', () => {
    const { words, pieces: subwords, expected, scores, logLikelihood } = golden.step
    const step = unigramStep(new Map(Object.entries(words)), subwords)
    expect(step.logLikelihood).toBeCloseTo(logLikelihood, 10)
    for (const [i, count] of expected.entries()) expect(step.expected[i]).toBeCloseTo(count, 10)
    for (const [i, score] of scores.entries()) expect(step.subwords[i]![1]).toBeCloseTo(score, 8)
  })

  it('reaches the log likelihood of the Rust library to 1 %', async () => {
    const words = await wordsBy({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true })
    const ours = trainUnigram(words, { vocabularySize: golden.unigram.length, alphabetSize: 1000 })
    expect(ours).toHaveLength(golden.unigram.length)
    expect(ours.reduce((sum, [, score]) => sum + Math.exp(score), 0)).toBeLessThanOrEqual(1 + 1e-9)
    const likelihood = (subwords: readonly ScoredSubword[]): number => {
      // Both get the best probabilities for their subwords, to compare the choice of subwords alone.
      const fitted = Array.from({ length: 5 }).reduce<readonly ScoredSubword[]>(
        (scored) => unigramStep(words, scored).subwords,
        subwords,
      )
      return unigramStep(words, fitted).logLikelihood
    }
    expect(likelihood(ours) / likelihood(golden.unigram)).toBeLessThan(1.01)
    expect(trainUnigram(new Map([...words].reverse()), { vocabularySize: 500, alphabetSize: 60 })).toEqual(
      trainUnigram(words, { vocabularySize: 500, alphabetSize: 60 }),
    )
  })
})

describe('selectVocabulary', () => {
  const { documents, count, tfIdf, clear } = golden.weighed

  it(`ranks terms by count and by tf-idf like ${golden.source}`, async () => {
    const select = (selectBy: 'count' | 'tf-idf', size: number, minimumFrequency = 1) =>
      selectVocabulary(each(documents), { size, minimumFrequency, selectBy })
    expect(await select('count', 100)).toEqual(count)
    const chosen = await select('tf-idf', 150)
    for (const term of clear) expect([term, chosen.indexOf(term)]).toEqual([term, tfIdf.indexOf(term)])
    expect(clear.length).toBeGreaterThan(50)
    expect((await select('tf-idf', 10_000, 3)).length).toBeLessThan((await select('tf-idf', 10_000)).length)
  })
})
