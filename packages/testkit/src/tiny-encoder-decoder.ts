import type { Model, TextInputs } from '@attune/core'
import { add, mean } from '@tensorflow/tfjs-core'
import { tinyModel } from './tiny-model.js'

/** The tiny model as an encoder and as a decoder, to whose hidden states the mean encoder output is added. */
export function tinyEncoderDecoder(): Model {
  const body = tinyModel()
  return {
    ...body,
    heads: {
      'sequence-to-sequence': { architecture: 'TinyForConditionalGeneration', tensors: { weight: 'lm_head.weight' } },
    },
    config: { ...body.config, is_encoder_decoder: true, decoder_start_token_id: 7 },
    forward(params, inputs: TextInputs, mode) {
      const { pooled } = body.forward(params, inputs, mode)
      const own = { inputIds: inputs.decoderInputIds!, attentionMask: inputs.decoderAttentionMask! }
      const outputs = body.forward(params, { ...own, tokenTypeIds: own.inputIds }, mode)
      return { ...outputs, lastHiddenState: add(outputs.lastHiddenState, mean(pooled, 1).reshape([-1, 1, 1])) }
    },
  }
}
