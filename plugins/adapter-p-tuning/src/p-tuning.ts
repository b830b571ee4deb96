import { ADAPTER, type Adapter, ENGINE, type Params, RANDOMNESS, definePlugin } from '@attune/core'
import {
  adaptPrompt,
  describeVirtualTokens,
  initialEncoder,
  promptedModel,
  readPrompt,
  requireSame,
  savedTokens,
  tokensOption,
} from '@attune/nn'
import { z } from 'zod'
import { type EncoderSize, encodePrompt, encoderShapes } from './prompt-encoder.js'

const [NAME, TYPE] = ['p-tuning', 'P_TUNING']

/**
 * P-tuning: virtual tokens before the word embeddings of each text, computed from trained embeddings by a prompt encoder, an MLP or a
 * bidirectional LSTM; the weights of the model are frozen. A head of the objective trains too, except one with a row for each token
 * of the vocabulary. Only the vectors of the virtual tokens are saved, as in peft: training that continues from a saved adapter
 * trains these vectors themselves.
 *
 * The model's maximum length for texts is reduced by the virtual tokens. Near neighbour: prompt tuning, without the encoder.
 */
export const pTuning = definePlugin({
  kind: ADAPTER,
  name: NAME,
  summary: 'P-tuning: virtual tokens before each text, computed by a trained MLP or LSTM; the model stays frozen',
  source: 'Liu et al., GPT Understands, Too, 2021, section 3',
  exceptions: {
    initialFunction: 'virtual tokens are additional inputs from the start',
    merge: 'virtual tokens are inputs, which weights cannot replace',
    saved: 'the prompt encoder is replaced with the vectors that it computes',
  },
  options: z.strictObject({
    tokens: tokensOption,
    encoder: z
      .enum(['mlp', 'lstm'])
      .default('mlp')
      .describe('Prompt encoder: an MLP, or a bidirectional LSTM and an MLP'),
    hiddenSize: z
      .int()
      .min(1)
      .max(65_536)
      .optional()
      .describe('Hidden size of the prompt encoder. Default: the width of the word embeddings'),
    layers: z.int().min(1).max(16).default(2).describe('Number of LSTM layers'),
  }),
  needs: { engine: ENGINE, randomness: RANDOMNESS },
  create: ({ tokens, encoder, hiddenSize, layers }, { engine, randomness }): Adapter => ({
    describe: (model, saved) =>
      describeVirtualTokens(model, { adapter: NAME, count: saved === undefined ? tokens : savedTokens(saved, TYPE) }),
    adapt(model, params, { saved } = {}) {
      const count = saved === undefined ? tokens : savedTokens(saved.config, TYPE)
      requireSame(NAME, 'tokens', tokens, tokensOption.parse(undefined), count)
      const width = params[model.wordEmbeddings]!.shape[1]!
      const size: EncoderSize = { encoder, count, width, hidden: hiddenSize ?? width, layers }
      const tensors =
        saved === undefined
          ? initialEncoder(engine, randomness, encoderShapes(size))
          : readPrompt(model, params, saved, [count, width])
      return adaptPrompt(model, params, {
        adapter: NAME,
        count,
        tensors,
        encode: (all: Params) => encodePrompt(all, size),
        config: {
          peft_type: TYPE,
          encoder_reparameterization_type: encoder.toUpperCase(),
          encoder_hidden_size: size.hidden,
          encoder_num_layers: layers,
          encoder_dropout: 0,
        },
        insert: promptedModel,
      })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter p-tuning': typeof pTuning
  }
}

export default pTuning
