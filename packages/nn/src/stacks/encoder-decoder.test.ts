import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import type { Kept, Mode, TextInputs } from '@attune/core'
import { key } from '@attune/core'
import { type Tensor, ones, tensor2d, tidy } from '@tensorflow/tfjs-core'
import { takeRows } from '../layers/embedding.js'
import { type EncoderDecoderOptions, type Side, encoderDecoder, encoderDecoderShapes } from './encoder-decoder.js'
import { initialParameters, normal } from '../layers/initialise.js'

const HIDDEN = 4
const INFERENCE: Mode = { training: false }
const sizes = {
  encoder: { layers: 1, heads: 2, intermediate: 6 },
  decoder: { layers: 2, heads: 1, intermediate: 5 },
}
const ids = (rows: number[][]): Tensor => tensor2d(rows, undefined, 'int32')

/** The outputs, and for which stacks something was embedded. */
function run(inputs: Partial<TextInputs>, keep: readonly Kept[] = []) {
  const embedded: Side[] = []
  const params = initialParameters(encoderDecoderShapes(sizes, HIDDEN), key(1), 0.5)
  const table = normal(key(2), [9, HIDDEN], 1)
  const options: EncoderDecoderOptions = {
    ...sizes,
    activation: 'relu',
    dropout: { added: 0, wide: 0, attention: 0 },
    startTokenId: 7,
    embed(side, tokens) {
      embedded.push(side)
      return takeRows(table, tokens)
    },
  }
  const inputIds = ids([[3, 4, 5, 0]])
  const given = { inputIds, attentionMask: ids([[1, 1, 1, 0]]), tokenTypeIds: inputIds, ...inputs }
  return { embedded, ...encoderDecoder(params, given, { ...INFERENCE, keep }, options) }
}

const numbers = (x: Tensor): number[] => [...x.dataSync()]

it('lets the decoder read the text one place later, behind the start token, where nothing else is said', () =>
  void tidy(() => {
    const [own, told] = [
      run({}),
      run({ decoderInputIds: ids([[7, 3, 4]]), decoderAttentionMask: ones([1, 3], 'int32') }),
    ]
    expect(numbers(own.lastHiddenState).slice(0, 3 * HIDDEN)).toEqual(numbers(told.lastHiddenState))
    expect(numbers(own.pooled)).toEqual(numbers(told.lastHiddenState).slice(-HIDDEN))
  }))

it('does not run the encoder on what it has read', () =>
  void tidy(() => {
    const whole = run({})
    const again = run({ encoderStates: whole.encoderStates! })
    expect(whole.embedded).toEqual(['encoder', 'decoder'])
    expect(again.embedded).toEqual(['decoder'])
    expect(numbers(again.lastHiddenState)).toEqual(numbers(whole.lastHiddenState))
  }))

it('keeps nothing of an encoder that is not run, but what the decoder looks at in what it gave before', () =>
  void tidy(() => {
    const keep = ['hiddenStates', 'attentions'] as const
    const whole = run({}, keep)
    const again = run({ encoderStates: whole.encoderStates! }, keep)
    expect(Object.keys(whole.encoderHiddenStates!)).toHaveLength(sizes.encoder.layers + 1)
    expect([again.encoderHiddenStates, again.encoderAttentions]).toEqual([undefined, undefined])
    const numbersOf = (kept: Readonly<Record<string, Tensor>>): number[][] => Object.values(kept).map(numbers)
    expect(numbersOf(again.crossAttentions!)).toEqual(numbersOf(whole.crossAttentions!))
    expect(Object.values(whole.crossAttentions!)[0]!.shape).toEqual([1, sizes.decoder.heads, 4, 4])
  }))

it('has attention to what was read in the decoder alone', () => {
  const names = Object.keys(encoderDecoderShapes(sizes, HIDDEN))
  const across = names.filter((name) => name.includes('encoder_attn'))
  expect(across.length).toBe(2 * 10) // four dense layers and a norm, each with weight and bias
  expect(across.every((name) => name.startsWith('model.decoder.layers.'))).toBe(true)
})
