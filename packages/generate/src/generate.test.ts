import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Model, Params, Tokenizer } from '@attune/core'
import { embedding } from '@attune/nn'
import { referenceEngine, tinyModel } from '@attune/testkit'
import { add, matMul, mul, oneHot, slice, squeeze, sum, tensor2d, zeros } from '@tensorflow/tfjs-core'
import { lastValueFrom, take, toArray } from 'rxjs'
import type { Constraint } from './constraint.js'
import type { GenerationEvent } from './events.js'
import { type Generator, endTokens, generator } from './generate.js'

const SIZE = 6
const END = 5

/** Logits of the next token by the last one: 0 → 1 → 2 → 3 → end, with 4 a close second everywhere. */
const NEXT = Array.from({ length: SIZE }, (_, from) =>
  Array.from({ length: SIZE }, (_, to) => (to === (from === 3 ? END : from + 1) ? 2 : to === 4 ? 1.5 : 0)),
)

/** Bigram model: its hidden states are the logits, and its word embeddings the identity matrix. */
const bigram = (maximumLength = 64): Model => ({
  ...tinyModel(),
  hiddenSize: SIZE,
  maximumLength,
  wordEmbeddings: 'unit',
  config: { model_type: 'bigram', eos_token_id: END },
  heads: { 'causal-language-modeling': { architecture: 'Bigram', tensors: {} } },
  cache: (batch, capacity) => ({ '0.key': zeros([batch, 1, capacity, 1]) }),
  forward: (params, { inputIds, cache }) => {
    const lastHiddenState = embedding(params, 'next', inputIds)
    return { lastHiddenState, pooled: squeeze(lastHiddenState), cache: { '0.key': add(cache!['0.key']!, 0) } }
  },
})

/** Encoder–decoder that repeats the first letter of the prompt. */
const echo = (count: () => void): Model => ({
  ...bigram(4),
  config: { model_type: 'echo', eos_token_id: END, is_encoder_decoder: true, decoder_start_token_id: 0 },
  heads: { 'sequence-to-sequence': { architecture: 'Echo', tensors: {} } },
  forward: (params, { inputIds, decoderInputIds, encoderStates, cache }) => {
    if (encoderStates === undefined) count()
    const states = encoderStates ?? embedding({ 'unit.weight': params['unit']! }, 'unit', inputIds)
    const target = mul(9, slice(states, [0, 0, 0], [-1, 1, -1])) // [rows, 1, size]
    const lastHiddenState = add(embedding(params, 'next', decoderInputIds!), target)
    const newCache = cache === undefined ? {} : { cache: { '0.key': add(cache['0.key']!, 0) } }
    return { lastHiddenState, pooled: squeeze(lastHiddenState), encoderStates: states, ...newCache }
  },
})
/** Forward pass of an encoder–decoder that ignores its encoder: bigrams of the decoder's tokens. */
const bigramDecoder: Model['forward'] = (params, { inputIds, decoderInputIds, cache }) => {
  const lastHiddenState = embedding(params, 'next', decoderInputIds!)
  const encoderStates = embedding({ 'unit.weight': params['unit']! }, 'unit', inputIds)
  const newCache = cache === undefined ? {} : { cache: { '0.key': add(cache['0.key']!, 0) } }
  return { lastHiddenState, pooled: squeeze(lastHiddenState), encoderStates, ...newCache }
}
const letters = 'abcdeX'
const tokenizer = {
  special: { end: END },
  encode: (text: string) => ({ ids: [...text].map((letter) => letters.indexOf(letter)) }),
  decode: (ids: ArrayLike<number>) => Array.from(ids, (id) => letters[id]).join(''),
} as never as Tokenizer

describe('generator', () => {
  const engine = referenceEngine()
  let params: Params
  let bigrams: Generator
  beforeAll(async () => {
    await engine.start()
    const unit = engine.compile(() => ({
      unit: matMul(oneHot([0, 1, 2, 3, 4, 5], SIZE, 1, 0, 'float32'), tensor2d(eye())),
    }))
    params = {
      'next.weight': engine.put({ shape: [SIZE, SIZE], dtype: 'float32', values: Float32Array.from(NEXT.flat()) }),
      ...unit(),
    } as never
    bigrams = generator({ engine, model: bigram(), params, tokenizer })
  })
  afterAll(() => engine.close())
  const eye = (): number[][] =>
    Array.from({ length: SIZE }, (_, i) => Array.from({ length: SIZE }, (_, j) => (i === j ? 1 : 0)))
  const all = (...given: Parameters<Generator['generate']>): Promise<GenerationEvent[]> =>
    lastValueFrom(bigrams.generate(...given).pipe(toArray()))
  const finished = async (...given: Parameters<Generator['generate']>) =>
    (await all(...given)).flatMap((event) => (event.type === 'finished' ? [event] : []))

  it('generates the most probable tokens until the end token, with one event per token', async () => {
    expect(await all(['a'])).toEqual([
      { type: 'token', row: 0, id: 1, text: 'b' },
      { type: 'token', row: 0, id: 2, text: 'c' },
      { type: 'token', row: 0, id: 3, text: 'd' },
      { type: 'finished', row: 0, ids: [1, 2, 3], text: 'bcd', because: 'end' },
    ])
  })

  it('generates the same for several prompts at once as for each alone', async () => {
    const found = await finished(['a', 'abc', 'ad'])
    expect(found.sort((a, b) => a.row - b.row).map(({ text }) => text)).toEqual(['bcd', 'd', ''])
  })

  it('stops at the length limit of the options or of the model', async () => {
    expect(await finished(['a'], { maximumNewTokens: 2 })).toMatchObject([{ text: 'bc', because: 'length' }])
    const short = generator({ engine, model: bigram(4), params, tokenizer })
    const events = await lastValueFrom(short.generate(['aa']).pipe(toArray()))
    expect(events.at(-1)).toMatchObject({ text: 'bc', because: 'length' })
  })

  it('stops at a stop sequence, and does not end before the minimum number of tokens', async () => {
    expect(await finished(['a'], { stop: ['cd'] })).toMatchObject([{ text: 'b', because: 'stop' }])
    expect(await finished(['a'], { minimumNewTokens: 4, maximumNewTokens: 5 })).toMatchObject([
      { text: 'bcde', because: 'end' },
    ])
  })

  it('runs the encoder once and generates from the encoder states of each prompt', async () => {
    let readings = 0
    const subject = generator({ engine, model: echo(() => readings++), params, tokenizer })
    const prompts = ['bade', 'c', 'db']
    for (const options of [{}, { beams: 2 }, { topK: 2, degenerationPenalty: 0.1 }]) {
      const live = engine.live()
      const events = await lastValueFrom(subject.generate(prompts, { maximumNewTokens: 3, ...options }).pipe(toArray()))
      const texts = events.flatMap((event) => (event.type === 'finished' ? [[event.row, event.text]] : []))
      expect(texts.sort()).toEqual(['bbb', 'ccc', 'ddd'].map((text, row) => [row, text]))
      expect(engine.live()).toBe(live)
    }
    expect(readings).toBe(3)
    const long = lastValueFrom(subject.generate(['badeb']))
    await expect(long).rejects.toMatchObject({
      code: 'PROMPT_LENGTH',
      problem: expect.stringContaining('reads at most 4'),
    })
  })

  it('ends a source text with the end token, as in training, unless it has the maximum length', async () => {
    const read: number[][] = []
    const model = echo(() => undefined)
    const noting: Model = {
      ...model,
      forward: (given, inputs, mode) => {
        const count = sum(inputs.attentionMask).dataSync()[0]
        if (inputs.encoderStates === undefined) read.push([...inputs.inputIds.dataSync()].slice(0, count))
        return model.forward(given, inputs, mode)
      },
    }
    const subject = generator({ engine, model: noting, params, tokenizer })
    for (const prompt of ['ba', 'bX', 'bade']) await lastValueFrom(subject.generate([prompt], { maximumNewTokens: 1 }))
    expect(read).toEqual([
      [1, 0, END],
      [1, END],
      [1, 0, 3, 4],
    ])
    subject.close()
  })

  it.each<[string, unknown, unknown, string, RegExp]>([
    ['a text instead of a list', 'a', {}, 'BAD_ARGUMENT', /a list of at least one prompt, got "a"/],
    ['no prompts', [], {}, 'BAD_ARGUMENT', /got \[\]/],
    ['a number as a prompt', [7], {}, 'BAD_ARGUMENT', /got 7/],
    ['ids outside of the vocabulary', [[0, 9_999_999]], {}, 'BAD_ARGUMENT', /got 9999999/],
    ['a negative id', [[-1]], {}, 'BAD_ARGUMENT', /got -1/],
    ['a misspelt option', ['a'], { maxNewTokens: 1 }, 'BAD_OPTIONS', /did you mean `maximumNewTokens`/],
    ['a value out of range', ['a'], { topP: 2 }, 'BAD_OPTIONS', /`topP`: expected number to be <=1, got 2/],
  ])('rejects %s with a code', (_, prompts, options, code, problem) => {
    expect(() => bigrams.generate(prompts as string[], options as object)).toThrow(
      expect.objectContaining({ code, problem: expect.stringMatching(problem) }),
    )
  })

  it('samples the same for the same seed, and differently for another', async () => {
    const sampled = (seed: number) => finished(['a', 'a'], { temperature: 1.5, seed, maximumNewTokens: 20 })
    expect(await sampled(1)).toEqual(await sampled(1))
    const texts = await Promise.all([1, 2, 3, 4].map(sampled))
    expect(new Set(texts.flat().map(({ text }) => text)).size).toBeGreaterThan(2)
  })

  it('finds the best finished sequence by beam search and reports its score', async () => {
    const [best] = await finished(['a'], { beams: 3 })
    expect(best).toMatchObject({ text: 'bcd', because: 'end' })
    const step = Math.log(Math.exp(2) / (Math.exp(2) + Math.exp(1.5) + 4))
    expect(best!.score).toBeCloseTo((4 * step) / 4, 5)
  })

  it('uses the defaults of the model for options that are not given', async () => {
    const defaults = { options: { endTokenIds: [3], maximumNewTokens: 9, beams: 2 }, unsupported: [] }
    const subject = generator({ engine, model: bigram(), params, tokenizer, defaults })
    const texts = async (options: object) => {
      const events = await lastValueFrom(subject.generate(['a'], options).pipe(toArray()))
      return events.map((event) => [event.type, event.text])
    }
    expect(await texts({})).toEqual([['finished', 'bc']])
    expect(await texts({ beams: 1 })).toEqual([
      ['token', 'b'],
      ['token', 'c'],
      ['finished', 'bc'],
    ])
    expect(await texts({ endTokenIds: [2] })).toEqual([['finished', 'b']])
    expect([...endTokens({ model: bigram(), tokenizer, defaults })]).toEqual([3])
    subject.close()
  })

  it('counts prompt tokens towards maximumLength and minimumLength', async () => {
    expect(await finished(['aa'], { maximumLength: 4 })).toMatchObject([{ text: 'bc', because: 'length' }])
    expect(await finished(['ab'], { minimumLength: 6 })).toMatchObject([{ text: 'cdee', because: 'end' }])
  })

  it('starts with the decoder start token of the defaults', async () => {
    const defaults = { options: {}, decoderStartTokenId: 2, unsupported: [] }
    const model = { ...echo(() => undefined), forward: bigramDecoder }
    const subject = generator({ engine, model, params, tokenizer, defaults })
    const events = await lastValueFrom(subject.generate(['b']).pipe(toArray()))
    expect(events.at(-1)).toMatchObject({ text: 'd', because: 'end' })
    subject.close()
  })

  it('satisfies a constraint', async () => {
    // e, then anything but e, then the end token.
    const rule: Constraint = {
      allowed: (state) =>
        Uint8Array.from({ length: SIZE }, (_, id) =>
          Number(state === 0 ? id === 4 : state === 1 ? id < 4 : id === END),
        ),
      next: (state) => state + 1,
    }
    const [{ text } = { text: '' }] = await finished(['a'], {}, rule)
    expect(text).toMatch(/^e[abcd]$/)
    await expect(finished(['a'], { minimumNewTokens: 3 }, rule)).rejects.toMatchObject({ code: 'NOTHING_ALLOWED' })
  })

  it('stops on unsubscribe and frees all tensors', async () => {
    await all(['a'])
    const before = engine.live()
    const [first] = await lastValueFrom(bigrams.generate(['a']).pipe(take(1), toArray()))
    expect(first).toMatchObject({ type: 'token', text: 'b' })
    while (engine.live() !== before) await setImmediate() // the test's timeout ends an endless wait
    expect(engine.live()).toBe(before)
  })

  it('rejects empty and overlong prompts, conflicting options, and models that cannot generate', async () => {
    await expect(all([''])).rejects.toMatchObject({ code: 'PROMPT_LENGTH' })
    await expect(all(['a'.repeat(64)])).rejects.toMatchObject({ code: 'PROMPT_LENGTH' })
    expect(() => bigrams.generate(['a'], { beams: 3, beamGroups: 2 })).toThrow(/beamGroups/)
    expect(() => bigrams.generate(['a'], { beams: 2, temperature: 1 })).toThrow(/temperature/)
    expect(() => generator({ engine, model: tinyModel(), params, tokenizer })).toThrow(
      expect.objectContaining({ code: 'NOT_A_WRITER' }),
    )
  })
})
