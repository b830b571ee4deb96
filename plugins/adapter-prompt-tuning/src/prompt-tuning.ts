import { ADAPTER, type Adapter, ENGINE, RANDOMNESS, TOKENIZER, definePlugin } from '@attune/core'
import {
  adaptPrompt,
  describeVirtualTokens,
  initialVectors,
  promptedModel,
  readPrompt,
  requireSame,
  savedTokens,
  tokensOption,
  vectorsOfText,
} from '@attune/nn'
import { z } from 'zod'

const [NAME, TYPE] = ['prompt-tuning', 'PROMPT_TUNING']

/**
 * Prompt tuning: vectors that are trained stand before the word embeddings of each text; the weights of the model are frozen. The
 * vectors start from the embeddings of the tokens of a text, repeated or truncated to their number, or from a normal distribution
 * with the deviation of the model's initial weights (peft: 1). A head of the objective trains too, except one with a row for each
 * token of the vocabulary. A saved adapter of peft or Attune determines the number of virtual tokens.
 *
 * The model's maximum length for texts is reduced by the virtual tokens. In language modeling the first token of a text is not
 * predicted; in peft it is, from the last virtual token.
 */
export const promptTuning = definePlugin({
  kind: ADAPTER,
  name: NAME,
  summary: 'Prompt tuning: trained vectors before the word embeddings of each text; the model stays frozen',
  source: 'Lester, Al-Rfou and Constant, The Power of Scale for Parameter-Efficient Prompt Tuning, 2021, section 2',
  exceptions: {
    initialFunction: 'virtual tokens are additional inputs from the start',
    merge: 'virtual tokens are inputs, which weights cannot replace',
  },
  options: z.strictObject({
    tokens: tokensOption,
    text: z
      .string()
      .min(1)
      .optional()
      .describe('Text whose token embeddings initialize the virtual tokens. Default: none, they are random'),
  }),
  needs: { engine: ENGINE, randomness: RANDOMNESS, tokenizer: TOKENIZER },
  create: ({ tokens, text }, { engine, randomness, tokenizer }): Adapter => ({
    describe: (model, saved) =>
      describeVirtualTokens(model, { adapter: NAME, count: saved === undefined ? tokens : savedTokens(saved, TYPE) }),
    adapt(model, params, { saved } = {}) {
      const count = saved === undefined ? tokens : savedTokens(saved.config, TYPE)
      requireSame(NAME, 'tokens', tokens, tokensOption.parse(undefined), count)
      const width = params[model.wordEmbeddings]!.shape[1]!
      const initial = () =>
        text === undefined
          ? initialVectors(engine, randomness, [count, width], model.initializerRange)
          : vectorsOfText(engine, params[model.wordEmbeddings]!, tokenizer.encode(text).ids, count)
      const tensors = saved === undefined ? initial() : readPrompt(model, params, saved, [count, width])
      const config = { peft_type: TYPE, prompt_tuning_init: 'RANDOM' }
      return adaptPrompt(model, params, { adapter: NAME, count, tensors, config, insert: promptedModel })
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'adapter prompt-tuning': typeof promptTuning
  }
}

export default promptTuning
