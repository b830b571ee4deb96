import {
  type EncodeOptions,
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

/** Token ids of a text, with the end token if the tokenizer does not append it, truncated to the maximum length. */
function encode({ encode: tokens, special }: Tokenizer, text: string, options: EncodeOptions): NextTokenItem {
  const { maximumLength = Infinity } = options
  const { ids: read, truncated } = tokens(text, options)
  const isOpen = special.end !== undefined && read.at(-1) !== special.end
  // A text truncated on the left keeps its end.
  const room = truncated && options.truncationSide === 'left' ? maximumLength - 1 : undefined
  if (isOpen && room !== undefined) {
    const ids = [...tokens(text, { ...options, maximumLength: room }).ids, special.end as number]
    return { ids, length: ids.length, truncated }
  }
  const ids = isOpen && !truncated ? [...read, special.end as number].slice(0, maximumLength) : [...read]
  return { ids, length: ids.length, truncated }
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<NextTokenItem, NextTokenBatch, TokenLosses> {
  if (o.packTo !== undefined) requirePackable(model, o.packTo, 'objective causal-language-modeling')
  const limits = lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model)
  const { maximumLength } = limits
  const read = (example: Example): NextTokenItem => encode(tokenizer, textOf(example, o.text), limits)
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
