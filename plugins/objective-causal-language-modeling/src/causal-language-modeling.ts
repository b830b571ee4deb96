import {
  type Example,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type NextTokenBatch,
  type NextTokenItem,
  lengthOptions,
  lengthsFor,
  maximumTokens,
  nextTokenItem,
  nextTokens,
  textOf,
} from '@attune/data'
import { type TokenLosses, nextTokenHead, requirePackable } from '@attune/nn'
import { z } from 'zod'

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  maximumLength: maximumTokens(2),
  packTo: z
    .int()
    .min(2)
    .optional()
    .describe(
      'Pack short texts into rows of at most this many tokens, without attention between texts. Default: one text per row',
    ),
  ...lengthOptions,
})

type Options = z.output<typeof options>

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<NextTokenItem, NextTokenBatch, TokenLosses> {
  if (o.packTo !== undefined) requirePackable(model, o.packTo, 'objective causal-language-modeling')
  const limits = lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model)
  const { maximumLength } = limits
  const read = (example: Example): NextTokenItem => nextTokenItem(tokenizer, textOf(example, o.text), limits)
  const { collate, predict, reference } = nextTokens({ ...o, tokenizer, maximumLength })
  return {
    views: ['tokens'],
    ...nextTokenHead(model, losses, model.vocabularySize ?? tokenizer.vocabularySize),
    maximumLength,
    encode: read,
    encodeUnlabelled: read,
    collate,
    predict: ({ best }, items) => predict(best, items),
    reference,
  }
}

/**
 * Causal language modeling (next-token prediction): at each token of a text, the model predicts the next one. The loss covers all tokens
 * except the first and padding; its mean is the logarithm of the perplexity. Logits stay on the device: an evaluation returns the argmax
 * prediction at each position.
 */
export const causalLanguageModeling = definePlugin({
  kind: OBJECTIVE,
  name: 'causal-language-modeling',
  summary: 'Causal language modeling (next-token prediction): how GPT is pretrained',
  source: 'Radford et al., Improving Language Understanding by Generative Pre-Training, 2018, section 3.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective causal-language-modeling': typeof causalLanguageModeling
  }
}

export default causalLanguageModeling
