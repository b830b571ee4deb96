import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Model, Params, Tokenizer } from '@attune/core'
import { embedding } from '@attune/nn'
import { floats, referenceEngine, tinyModel } from '@attune/testkit'
import { add, squeeze, zeros } from '@tensorflow/tfjs-core'
import { lastValueFrom, take, toArray } from 'rxjs'
import type { Constraint } from './constraint.js'
import type { GenerationEvent } from './events.js'
import { generator } from './generate.js'
import type { GenerationOptions } from './options.js'

const SIZE = 6
const END = 5

/** Logits of the next token by the last one: 0 → 1 → 2 → 3 → 0 and so on, with 4 a close second, and 4 → 0. */
const NEXT = Array.from({ length: SIZE }, (_, from) =>
  Array.from({ length: SIZE }, (_, to) => (to === (from > 2 ? 0 : from + 1) ? 2 : to === 4 ? 1.5 : 0)),
)
const letters = 'abcdeX'
const tokenizer = {
  special: { end: END },
  encode: (text: string) => ({ ids: [...text].map((letter) => letters.indexOf(letter)) }),
  decode: (ids: ArrayLike<number>) => Array.from(ids, (id) => letters[id]).join(''),
} as never as Tokenizer

describe('generator with promptLookupTokens', () => {
  const engine = referenceEngine()
  /** Number of tokens that each run of the model read. */
  let runs: number[] = []
  const model = (changed: Partial<Model> = {}): Model => ({
    ...tinyModel(),
    hiddenSize: SIZE,
    maximumLength: 64,
    wordEmbeddings: 'unit',
    config: { model_type: 'cycle', eos_token_id: END },
    heads: { 'causal-language-modeling': { architecture: 'Cycle', tensors: {} } },
    cache: (batch, capacity) => ({ '0.key': zeros([batch, 1, capacity, 1]) }),
    forward: (params, { inputIds, cache }) => {
      runs.push(inputIds.shape[1] as number)
      const lastHiddenState = embedding(params, 'next', inputIds)
      return { lastHiddenState, pooled: squeeze(lastHiddenState), cache: { '0.key': add(cache!['0.key']!, 0) } }
    },
    ...changed,
  })
  let params: Params
  beforeAll(async () => {
    await engine.start()
    const unit = Array.from({ length: SIZE * SIZE }, (_, i) => Number(i % (SIZE + 1) === 0))
    params = engine.put({
      'next.weight': floats(NEXT.flat(), [SIZE, SIZE]),
      unit: floats(unit, [SIZE, SIZE]),
    }) as Params
  })
  afterAll(() => engine.close())

  async function write(prompts: readonly string[], options: Partial<GenerationOptions>, how: How = {}) {
    runs = []
    const subject = generator({ engine, model: model(how.changed), params, tokenizer })
    const events = await lastValueFrom(subject.generate(prompts, options, how.constraint).pipe(toArray()))
    subject.close()
    return events
  }
  interface How {
    readonly changed?: Partial<Model>
    readonly constraint?: Constraint
  }
  const textOf = (events: readonly GenerationEvent[]): string => events.at(-1)!.text

  it('generates the same as one token at a time, in fewer runs', async () => {
    const baseline = await write(['abcdab'], { maximumNewTokens: 20 })
    expect(textOf(baseline)).toBe('cdabcdabcdabcdabcdab')
    expect(runs).toEqual([16, ...new Array<number>(19).fill(1)])
    expect(await write(['abcdab'], { maximumNewTokens: 20, promptLookupTokens: 4 })).toEqual(baseline)
    expect(runs).toEqual([16, 5, 5, 5, 5])
  })

  it('rolls back wrong drafts', async () => {
    const baseline = await write(['a'], { maximumNewTokens: 8 })
    expect(await write(['a'], { maximumNewTokens: 8, promptLookupTokens: 3 })).toEqual(baseline)
    expect(runs).toEqual([16, 4, 4, 4, 4]) // b, c and d come one by one, then all four letters at once
  })

  it('samples the same tokens, and honors constraints and stop sequences', async () => {
    const constraint: Constraint = {
      allowed: (state) => Uint8Array.from({ length: SIZE }, (_, id) => Number(state % 3 === 2 ? id === 4 : id !== END)),
      next: (state) => state + 1,
    }
    for (const seed of [1, 2, 3, 4, 5])
      for (const how of [{}, { constraint }]) {
        const options = { temperature: 1, maximumNewTokens: 30, seed, stop: ['ddd'] }
        const baseline = await write(['abcdabcd'], options, how)
        expect(await write(['abcdabcd'], { ...options, promptLookupTokens: 5 }, how)).toEqual(baseline)
        expect(runs).toContain(6)
      }
  })

  it('does not read beyond the maximum length of the model', async () => {
    const changed = { maximumLength: 12 }
    const baseline = await write(['abcdab'], {}, { changed })
    expect(await write(['abcdab'], { promptLookupTokens: 3 }, { changed })).toEqual(baseline)
    expect(runs).toEqual([16, 4, 1]) // six tokens generated: after the fifth, three draft tokens would exceed the limit
  })

  it('decodes token by token for several prompts and for recurrent models', async () => {
    const options = { maximumNewTokens: 8, promptLookupTokens: 3 }
    const texts = (events: readonly GenerationEvent[]) =>
      events.flatMap((event) => (event.type === 'finished' ? [event.text] : []))
    expect(texts(await write(['abcdab', 'abcdab'], options))).toEqual(['cdabcdab', 'cdabcdab'])
    expect(Math.max(...runs.slice(1))).toBe(1)
    expect(texts(await write(['abcdab'], options, { changed: { recurrent: true } }))).toEqual(['cdabcdab'])
    expect(Math.max(...runs.slice(1))).toBe(1)
    const subject = generator({ engine, model: model(), params, tokenizer })
    expect(() => subject.generate(['a'], { promptLookupTokens: 3, beams: 2 })).toThrow(/beams/)
  })

  it('stops on unsubscribe and frees all tensors', async () => {
    const subject = generator({ engine, model: model(), params, tokenizer })
    const before = engine.live()
    const some = subject.generate(['abcdab'], { promptLookupTokens: 3 }).pipe(take(3), toArray())
    expect((await lastValueFrom(some)).map(({ text }) => text)).toEqual(['c', 'd', 'a'])
    while (engine.live() !== before) await setImmediate() // the test's timeout ends an endless wait
    expect(engine.live()).toBe(before)
  })
})
