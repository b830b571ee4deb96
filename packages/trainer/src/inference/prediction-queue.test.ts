import { describe, expect, it } from '@jest/globals'
import { AttuneError, type Encoded, type Example, isAttuneError } from '@attune/core'
import { createPredictionQueue } from './prediction-queue.js'
import { predictStream } from './predict-stream.js'

interface Item extends Encoded {
  readonly text: string
}

/** A model that returns its input text as the label and records its batches. */
function echo(batchSize = 4, breaks: (text: string) => boolean = () => false) {
  const batches: string[][] = []
  const queue = createPredictionQueue({
    batchSize,
    encode({ text }: Example): Item {
      if (typeof text !== 'string') throw new AttuneError('MISSING_FIELD', 'no text', 'Give one.')
      return { text, length: text.length, truncated: text.length > 8, ...(text.startsWith('b') ? { group: 'b' } : {}) }
    },
    async predict(items) {
      const texts = (items as readonly Item[]).map(({ text }) => text)
      batches.push(texts)
      await Promise.resolve()
      if (texts.some(breaks)) throw new TypeError('cannot read this')
      return texts.map((label) => ({ label }))
    },
  })
  return { queue, batches }
}
const rows = (...texts: unknown[]): Example[] => texts.map((text) => ({ text }))
const labels = (answers: readonly unknown[]): unknown[] =>
  answers.map((answer) => (isAttuneError(answer) ? answer.code : (answer as { label: unknown }).label))

describe('createPredictionQueue', () => {
  it('returns predictions in the order of the examples, with a truncation flag', async () => {
    const { queue } = echo()
    expect(await queue.predict(rows('a', 'a longer text'))).toEqual([
      { label: 'a', truncated: false },
      { label: 'a longer text', truncated: true },
    ])
    expect(await queue.predict([])).toEqual([])
  })

  it('batches the rows of concurrent calls and returns each call its own predictions', async () => {
    const { queue, batches } = echo(8)
    const calls = Array.from({ length: 20 }, (_, i) => rows(`a${i}`, `a${i} again`))
    const answers = await Promise.all(calls.map((call) => queue.predict(call)))
    expect(answers.map(labels)).toEqual(calls.map((call) => call.map(({ text }) => text)))
    expect(batches.length).toBe(5)
    expect(Math.max(...batches.map(({ length }) => length))).toBe(8)
  })

  it('starts a batch with the oldest row and adds rows of similar length in the same group', async () => {
    const { queue, batches } = echo(2)
    await queue.predict(rows('b', 'aaaaaaaaa', 'bb', 'aaaaaaaa', 'a'))
    expect(batches[0]).toEqual(['b', 'bb'].slice(0, batches[0]!.length))
    for (const batch of batches) expect(new Set(batch.map((text) => text[0])).size).toBe(1)
    expect(batches.flat()).toHaveLength(5)
  })

  it('returns an error for a row that cannot be encoded and predicts the others', async () => {
    const { queue } = echo()
    expect(labels(await queue.predict(rows('a', 7, 'c')))).toEqual(['a', 'MISSING_FIELD', 'c'])
  })

  it('retries a failed batch row by row, so that only the bad row fails', async () => {
    const { queue, batches } = echo(4, (text) => text === 'evil')
    const [good, bad] = await Promise.all([queue.predict(rows('good', 'fine')), queue.predict(rows('evil'))])
    expect(labels(good)).toEqual(['good', 'fine'])
    expect(labels(bad)).toEqual(['PREDICTION_FAILED'])
    expect(bad[0]).toMatchObject({ problem: expect.stringContaining('cannot read this') as unknown })
    expect(batches.map(({ length }) => length).sort()).toEqual([1, 1, 1, 3])
  })

  it('rejects an aborted call and drops its rows', async () => {
    const { queue, batches } = echo(1)
    const abort = new AbortController()
    const call = queue.predict(rows('a', 'b', 'c'), { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect(labels(await queue.predict(rows('d')))).toEqual(['d'])
    expect(batches.flat()).toEqual(['d'])
    await expect(queue.predict(rows('e'), { signal: abort.signal })).rejects.toThrow('enough')
  })

  it('answers the calls before close and rejects later ones', async () => {
    const { queue } = echo()
    const call = queue.predict(rows('a'))
    await queue.close()
    expect(labels(await call)).toEqual(['a'])
    await expect(queue.predict(rows('b'))).rejects.toMatchObject({ code: 'PREDICTOR_CLOSED' })
  })
})

describe('predictStream', () => {
  it('yields an answer before the next row arrives', async () => {
    const { queue } = echo()
    let answered = 0
    let release: () => void = () => undefined
    async function* endless() {
      yield* rows('a', 'b', 'c')
      await new Promise<void>((resolve) => (release = resolve)) // until the three are answered
      expect(answered).toBe(3)
      yield* rows('d')
    }
    const seen: unknown[] = []
    for await (const { example, answer } of predictStream(queue, endless())) {
      seen.push([example['text'], ...labels([answer])])
      if (++answered === 3) release()
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd'].map((text) => [text, text]))
  })

  it('reads at most `ahead` rows ahead and closes the source when iteration stops', async () => {
    const { queue } = echo(2)
    let [read, returned] = [0, false]
    function* many() {
      try {
        for (; read < 1000; read++) yield { text: `a${read}` }
      } finally {
        returned = true
      }
    }
    for await (const { example } of predictStream(queue, many(), { ahead: 10 })) if (example['text'] === 'a4') break
    expect(read).toBeLessThan(20)
    expect(returned).toBe(true)
  })

  it('can be stopped while the source waits for its next row', async () => {
    const { queue } = echo()
    async function* stuck() {
      yield* rows('a')
      await new Promise(() => undefined)
    }
    for await (const { answer } of predictStream(queue, stuck())) {
      expect(labels([answer])).toEqual(['a'])
      break
    }
  })

  it('yields the answers before a source error, then throws the error', async () => {
    const { queue } = echo()
    async function* failing() {
      yield* rows('a', 'b')
      await Promise.resolve()
      throw new Error('the file ended early')
    }
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const { answer } of predictStream(queue, failing())) seen.push(...labels([answer]))
    })()
    await expect(reading).rejects.toThrow('the file ended early')
    expect(seen).toEqual(['a', 'b'])
  })
})
