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

/** The outputs, and the stacks whose inputs were embedded. */
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

it('shifts the text right behind the start token as the default decoder input', () =>
  void tidy(() => {
    const [shifted, explicit] = [
      run({}),
      run({ decoderInputIds: ids([[7, 3, 4]]), decoderAttentionMask: ones([1, 3], 'int32') }),
    ]
    expect(numbers(shifted.lastHiddenState).slice(0, 3 * HIDDEN)).toEqual(numbers(explicit.lastHiddenState))
    expect(numbers(shifted.pooled)).toEqual(numbers(explicit.lastHiddenState).slice(-HIDDEN))
  }))

it('does not run the encoder if encoder states are passed', () =>
  void tidy(() => {
    const whole = run({})
    const again = run({ encoderStates: whole.encoderStates! })
    expect(whole.embedded).toEqual(['encoder', 'decoder'])
    expect(again.embedded).toEqual(['decoder'])
    expect(numbers(again.lastHiddenState)).toEqual(numbers(whole.lastHiddenState))
  }))

it('keeps cross-attentions, and no encoder outputs, if the encoder is not run', () =>
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

it('has cross-attention in the decoder only', () => {
  const names = Object.keys(encoderDecoderShapes(sizes, HIDDEN))
  const crossAttention = names.filter((name) => name.includes('encoder_attn'))
  expect(crossAttention.length).toBe(2 * 10) // four linear layers and a norm, each with weight and bias
  expect(crossAttention.every((name) => name.startsWith('model.decoder.layers.'))).toBe(true)
})
