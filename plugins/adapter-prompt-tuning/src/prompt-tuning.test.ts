import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Adapted, type HostArray, type Params, type TextInputs, key } from '@attune/core'
import {
  describeAdapter,
  expectClose,
  referenceEngine,
  textInputs,
  tinyDecoder,
  tinyModel,
  tinyTokenizer,
} from '@attune/testkit'
import { slice } from '@tensorflow/tfjs-core'
import { promptTuning } from './prompt-tuning.js'

describeAdapter(promptTuning, { options: { tokens: 3 } })
describeAdapter(promptTuning, { options: { tokens: 4, text: 'ab' }, model: tinyDecoder() })

const engine = referenceEngine()
const given = { engine, randomness: key(3), tokenizer: tinyTokenizer() }
beforeAll(() => engine.start())
afterAll(() => engine.close())
const rowsOf = async (params: Params, name: string): Promise<number[][]> => {
  const { values, shape } = ((await engine.read(params)) as Record<string, HostArray>)[name]!
  return Array.from({ length: shape[0]! }, (_, i) => [...values.subarray(i * shape[1]!, (i + 1) * shape[1]!)])
}

it('initializes the vectors from the word embeddings of a text, repeated or truncated', async () => {
  const [model, text] = [tinyModel(), 'ab']
  const params = model.init(key(1))
  const words = await rowsOf(params, model.wordEmbeddings)
  const expected = tinyTokenizer()
    .encode(text)
    .ids.map((id) => words[id])
  for (const tokens of [2, 4, 7]) {
    const { trainable } = (await promptTuning({ tokens, text }, given).adapt(model, params)) as Adapted
    const rows = await rowsOf(trainable, 'prompt_embeddings')
    expect(rows).toEqual(Array.from({ length: tokens }, (_, i) => expected[i % expected.length]))
  }
})

it('reduces the maximum length, by the number of a saved adapter if there is one', () => {
  const adapter = promptTuning({ tokens: 5 }, given)
  expect(adapter.describe!(tinyModel()).maximumLength).toBe(19)
  const saved = { peft_type: 'PROMPT_TUNING', num_virtual_tokens: 7 }
  expect(adapter.describe!(tinyModel(), saved).maximumLength).toBe(17)
})

it('rejects models and inputs to which virtual tokens cannot be added', () => {
  const mismatch = expect.objectContaining({ code: 'ADAPTER_MISMATCH' }) as never
  const model = tinyModel()
  expect(() => promptTuning({ tokens: 24 }, given).describe!(model)).toThrow(mismatch)
  const pair = { ...model, config: { ...model.config, is_encoder_decoder: true } }
  expect(() => promptTuning({}, given).describe!(pair)).toThrow(mismatch)
  const params = model.init(key(1))
  const { model: adapted, trainable, frozen } = promptTuning({ tokens: 2 }, given).adapt(model, params) as Adapted
  const inputs = engine.put(textInputs([[5, 6]])) as TextInputs
  const packed = { ...inputs, segmentIds: inputs.attentionMask }
  expect(() => adapted.forward({ ...frozen, ...trainable }, packed, { training: false })).toThrow(mismatch)
})

describe('with a KV cache', () => {
  it('returns the states of the whole text, token by token, also after padding', async () => {
    const model = tinyDecoder()
    const {
      model: adapted,
      trainable,
      frozen,
    } = promptTuning({ tokens: 3 }, given).adapt(model, model.init(key(1))) as Adapted
    const params = { ...frozen, ...trainable }
    const mode = { training: false } as const
    const text = [7, 3, 9, 4, 5]
    const whole = adapted.forward(params, engine.put(textInputs([text])), mode).lastHiddenState
    const pads = 1
    const int = (shape: number[], values: number[]): HostArray => ({
      shape,
      dtype: 'int32',
      values: Int32Array.from(values),
    })
    const slots = pads + text.length
    const step = (ids: number[], start: number, cache: TextInputs['cache']) => {
      const grid = (value: (i: number) => number) =>
        int(
          [1, ids.length],
          ids.map((_, i) => value(i)),
        )
      const mask = Array.from({ length: slots }, (_, slot) => (slot >= pads && slot < start + ids.length ? 1 : 0))
      const inputs = engine.put({
        inputIds: grid((i) => ids[i]!),
        tokenTypeIds: grid(() => 0),
        positionIds: grid((i) => Math.max(0, start + i - pads)),
        attentionMask: int([1, slots], mask),
        cacheStart: int([], [start]),
      }) as unknown as TextInputs
      return adapted.forward(params, { ...inputs, cache: cache! }, mode)
    }
    const first = step([0, ...text.slice(0, 3)], 0, adapted.cache!(1, slots))
    const second = step([text[3]!], 4, first.cache)
    const third = step([text[4]!], 5, second.cache)
    const rows = async (x: Parameters<typeof slice>[0], from: number) =>
      engine.read({ x: slice(x as never, [0, from, 0], [1, 1, -1]) })
    expectClose(await rows(first.lastHiddenState, 3), await rows(whole, 2), 1e-5)
    expectClose(await rows(second.lastHiddenState, 0), await rows(whole, 3), 1e-5)
    expectClose(await rows(third.lastHiddenState, 0), await rows(whole, 4), 1e-5)
  })
})
