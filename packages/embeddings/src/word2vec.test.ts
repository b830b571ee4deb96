import { setImmediate } from 'node:timers/promises'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { lastValueFrom, toArray } from 'rxjs'
import { aliasTable } from './alias-table.js'
import { similarity } from './similarity.js'
import { type Word2VecOptions, keepChances, trainWord2Vec } from './word2vec.js'
import { xoshiro, xoshiroFrom } from './xoshiro.js'

/** Texts of six words of one subject each, out of two subjects of ten words. */
function subjects(): string[][] {
  const random = stream(key(5))
  const word = (subject: string) => `${subject}${Math.floor(random() * 10)}`
  return Array.from({ length: 3000 }, (_, n) => Array.from({ length: 6 }, () => word(n % 2 === 0 ? 'a' : 'b')))
}
const corpus = subjects()
const options = { size: 12, epochs: 3, minimumCount: 1, subsampling: 0 }

async function train(given: Word2VecOptions) {
  const events = await lastValueFrom(trainWord2Vec(() => corpus, { ...options, ...given }).pipe(toArray()))
  const last = events.at(-1)
  if (last?.type !== 'training.completed') throw new Error('training did not complete')
  return { vectors: last.vectors, events }
}

describe('drawing', () => {
  it('gives the numbers of the published generator', () => {
    const golden = JSON.parse(readFileSync('golden/xoshiro.json', 'utf8')) as {
      readonly state: [number, number, number, number]
      readonly numbers: readonly number[]
    }
    const draw = xoshiroFrom(golden.state)
    expect(golden.numbers.map(() => draw())).toEqual(golden.numbers)
  })

  it('hits places as often as their weights say', () => {
    const weights = [1, 5, 0.5, 20, 3.5]
    const sample = aliasTable(Float64Array.from(weights))
    const draw = xoshiro(key(1))
    const hits = weights.map(() => 0)
    const draws = 300_000
    for (let n = 0; n < draws; n++) hits[sample(draw)]!++
    for (const [i, weight] of weights.entries()) {
      const chance = weight / 30
      const deviation = Math.sqrt(draws * chance * (1 - chance))
      expect(Math.abs(hits[i]! - draws * chance)).toBeLessThan(4 * deviation)
    }
  })

  it('keeps words by the root of the threshold over their share', () => {
    const chances = keepChances({ counts: Float64Array.from([8000, 1900, 100]) }, 0.02)
    expect([...chances]).toEqual([Math.sqrt(0.02 / 0.8), expect.closeTo(Math.sqrt(0.02 / 0.19), 12), 1])
    expect([...keepChances({ counts: Float64Array.from([9, 1]) }, 0)]).toEqual([1, 1])
  })
})

describe.each(['skip-gram', 'cbow'] as const)('%s', (algorithm) => {
  it('brings words of one subject together, and is the same for the same seed', async () => {
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

describe('a training', () => {
  it('says what it counted, the most frequent word first', async () => {
    const { events } = await train({ epochs: 1 })
    expect(events[0]).toMatchObject({ type: 'words.counted', tokens: 18_000, words: 20 })
    const texts = [['b', 'a', 'c'], ['b', 'b', 'c'], ['rare']]
    const counted = trainWord2Vec(() => texts, { minimumCount: 1, maximumVocabulary: 3, size: 2 })
    expect(await lastValueFrom(counted)).toMatchObject({ vectors: { words: ['b', 'c', 'a'], size: 2 } })
  })

  it('stops reading when nobody listens any more, and closes the corpus', async () => {
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
    while (closed === 0) await setImmediate() // the test's own limit ends a wait in vain
    expect(closed).toBe(1)
    expect(texts).toBeLessThan(20_000_000)
  })

  it('refuses options that are none, and a corpus without words', async () => {
    expect(() => trainWord2Vec(() => corpus, { window: 0, size: 0 })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTIONS', problem: expect.stringMatching(/window.*size|size.*window/s) }),
    )
    await expect(lastValueFrom(trainWord2Vec(() => [['once']]))).rejects.toMatchObject({ code: 'NO_TEXT' })
    const large = { size: 10_000, minimumCount: 1 }
    const words = Array.from({ length: 214_749 }, (_, i) => String(i))
    await expect(lastValueFrom(trainWord2Vec(() => [words], large))).rejects.toMatchObject({ code: 'BAD_OPTIONS' })
  })
})
