import { setImmediate } from 'node:timers/promises'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { lastValueFrom, toArray } from 'rxjs'
import { aliasTable } from './alias-table.js'
import { similarity } from './similarity.js'
import { type Word2VecOptions, keepProbabilities, trainWord2Vec } from './word2vec.js'
import { xoshiro, xoshiroFrom } from './xoshiro.js'

/** Texts of six words of one topic each, from two topics of ten words. */
function topics(): string[][] {
  const random = stream(key(5))
  const word = (topic: string) => `${topic}${Math.floor(random() * 10)}`
  return Array.from({ length: 3000 }, (_, n) => Array.from({ length: 6 }, () => word(n % 2 === 0 ? 'a' : 'b')))
}
const corpus = topics()
const options = { size: 12, epochs: 3, minimumCount: 1, subsampling: 0 }

async function train(given: Word2VecOptions) {
  const events = await lastValueFrom(trainWord2Vec(() => corpus, { ...options, ...given }).pipe(toArray()))
  const last = events.at(-1)
  if (last?.type !== 'training.completed') throw new Error('training did not complete')
  return { vectors: last.vectors, events }
}

describe('random sampling', () => {
  it('matches the published xoshiro generator', () => {
    const golden = JSON.parse(readFileSync('golden/xoshiro.json', 'utf8')) as {
      readonly state: [number, number, number, number]
      readonly numbers: readonly number[]
    }
    const random = xoshiroFrom(golden.state)
    expect(golden.numbers.map(() => random())).toEqual(golden.numbers)
  })

  it('samples indices of the alias table in proportion to their weights', () => {
    const weights = [1, 5, 0.5, 20, 3.5]
    const sample = aliasTable(Float64Array.from(weights))
    const random = xoshiro(key(1))
    const counts = weights.map(() => 0)
    const samples = 300_000
    for (let n = 0; n < samples; n++) counts[sample(random)]!++
    for (const [i, weight] of weights.entries()) {
      const probability = weight / 30
      const deviation = Math.sqrt(samples * probability * (1 - probability))
      expect(Math.abs(counts[i]! - samples * probability)).toBeLessThan(4 * deviation)
    }
  })

  it('keeps words with the square root of threshold over frequency', () => {
    const probabilities = keepProbabilities({ counts: Float64Array.from([8000, 1900, 100]) }, 0.02)
    expect([...probabilities]).toEqual([Math.sqrt(0.02 / 0.8), expect.closeTo(Math.sqrt(0.02 / 0.19), 12), 1])
    expect([...keepProbabilities({ counts: Float64Array.from([9, 1]) }, 0)]).toEqual([1, 1])
  })
})

describe.each(['skip-gram', 'cbow'] as const)('trainWord2Vec with %s', (algorithm) => {
  it('groups words of one topic and is deterministic', async () => {
    const learningRate = algorithm === 'cbow' ? 0.2 : 0.05
    const { vectors, events } = await train({ algorithm, learningRate, seed: 1 })
    expect(vectors.words).toHaveLength(20)
    const { nearest } = similarity(vectors)
    for (const word of vectors.words)
      expect(nearest(word, 9).map((found) => found.word[0])).toEqual(Array(9).fill(word[0]))
    const losses = events.flatMap((event) => (event.type === 'epoch.completed' ? [event.loss] : []))
    expect(losses).toHaveLength(3)
    expect(losses[2]).toBeLessThan(losses[0]!)
    const again = await train({ algorithm, learningRate, seed: 1 })
    expect(again.vectors.values).toEqual(vectors.values)
    const other = await train({ algorithm, learningRate, seed: 2 })
    expect(other.vectors.values).not.toEqual(vectors.values)
  })
})

describe('trainWord2Vec', () => {
  it('reports the counts and sorts words by frequency', async () => {
    const { events } = await train({ epochs: 1 })
    expect(events[0]).toMatchObject({ type: 'words.counted', tokens: 18_000, words: 20 })
    const texts = [['b', 'a', 'c'], ['b', 'b', 'c'], ['rare']]
    const counted = trainWord2Vec(() => texts, { minimumCount: 1, maximumVocabulary: 3, size: 2 })
    expect(await lastValueFrom(counted)).toMatchObject({ vectors: { words: ['b', 'c', 'a'], size: 2 } })
  })

  it('stops reading and closes the corpus on unsubscription', async () => {
    let closed = 0
    let texts = 0
    async function* endless() {
      try {
        for (let n = 0; n < 20_000_000; n++) {
          texts++
          yield corpus[n % corpus.length]!
        }
      } finally {
        closed++
      }
    }
    let opened = 0
    const open = () => (opened++ === 0 ? corpus : endless())
    await new Promise<void>((resolve) => {
      const subscription = trainWord2Vec(open, { ...options, epochs: 1 }).subscribe((event) => {
        if (event.type !== 'training.progressed') return
        subscription.unsubscribe()
        resolve()
      })
    })
    while (closed === 0) await setImmediate() // bounded by the test timeout
    expect(closed).toBe(1)
    expect(texts).toBeLessThan(20_000_000)
  })

  it('rejects invalid options and a corpus without frequent words', async () => {
    expect(() => trainWord2Vec(() => corpus, { window: 0, size: 0 })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringMatching(/window.*size|size.*window/s) }),
    )
    await expect(lastValueFrom(trainWord2Vec(() => [['once']]))).rejects.toMatchObject({ code: 'NO_TEXT' })
    const large = { size: 10_000, minimumCount: 1 }
    const words = Array.from({ length: 214_749 }, (_, i) => String(i))
    await expect(lastValueFrom(trainWord2Vec(() => [words], large))).rejects.toMatchObject({ code: 'BAD_OPTIONS' })
  })
})
