import { type Model, deriveKey as foldKey } from '@attune/core'
import { dropout, embedding, modeAt, linear, normal } from '@attune/nn'
import { type Tensor, add, cast, div, expandDims, mul, slice, squeeze, sum, tanh } from '@tensorflow/tfjs-core'

const [VOCABULARY, HIDDEN, LENGTH] = [24, 4, 12]
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'pair.words.weight': [VOCABULARY, HIDDEN],
  'pair.layer.0.weight': [HIDDEN, HIDDEN],
}

/** Mean of the hidden states `[batch, length, hidden]` of non-padding tokens, `[batch, 1, hidden]`. */
function meanOf(states: Tensor, mask: Tensor): Tensor {
  const weights = expandDims(cast(mask, 'float32'), 2)
  return div(sum(mul(states, weights), 1, true), sum(weights, 1, true))
}

/** A tiny encoder–decoder; its decoder gets the mean of the encoder states. */
export const tinyPair = (): Model => ({
  unpackable: 'it reads one text a row',
  prefix: 'pair.',
  wordEmbeddings: 'pair.words.weight',
  heads: {},
  hiddenSize: HIDDEN,
  maximumLength: LENGTH,
  headDropout: 0.1,
  initializerRange: 0.5,
  layers: [
    { name: 'embeddings', prefixes: ['pair.words.'] },
    { name: 'layer 0', prefixes: ['pair.layer.0.'] },
  ],
  config: { model_type: 'pair', is_encoder_decoder: true },
  init: (key) =>
    Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, normal(foldKey(key, name), shape, 0.5)])),
  forward(params, { inputIds, attentionMask, decoderInputIds = inputIds, ...inputs }, mode) {
    const words = (ids: Tensor): Tensor => embedding(params, 'pair.words', ids) // [batch, length, hidden]
    const encoderStates = inputs.encoderStates ?? words(inputIds)
    const begin = dropout(words(decoderInputIds), 0.1, modeAt(mode, 0))
    const read = linear(params, 'pair.layer.0', meanOf(encoderStates, attentionMask), { bias: false })
    const end = tanh(add(begin, read))
    return {
      lastHiddenState: end,
      pooled: squeeze(slice(end, [0, 0, 0], [-1, 1, -1]), [1]),
      encoderStates,
      ...(mode.keep?.includes('hiddenStates') === true ? { hiddenStates: { 0: begin, 1: end } } : {}),
    }
  },
})
