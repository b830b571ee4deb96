import {
  AttuneError,
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
} from '@attune/data'
import { type TokenLosses, nextTokenHead, requirePackable } from '@attune/nn'
import { conversationTokens } from '@attune/text'
import { z } from 'zod'

const options = z.strictObject({
  trainOn: z
    .array(z.enum(['assistant', 'user', 'system', 'tool']))
    .min(1)
    .default(['assistant'])
    .describe('Roles whose messages train; a message with `train: true` or `train: false` decides for itself'),
  maximumLength: maximumTokens(2, 'a conversation'),
  packTo: z
    .int()
    .min(2)
    .optional()
    .describe(
      'Pack short conversations into rows of at most this many tokens, without attention between them. Default: one per row',
    ),
  ...lengthOptions,
})

type Options = z.output<typeof options>
type Limits = ReturnType<typeof lengthsFor>

/** @throws AttuneError `NO_TRAINED_TOKENS` if no token of an example trains */
function requireTrained(item: NextTokenItem, { maximumLength }: Limits): NextTokenItem {
  if (item.trained!.slice(1).includes(1)) return item
  throw new AttuneError(
    'NO_TRAINED_TOKENS',
    item.truncated
      ? `the answer of an example was cut off entirely: its conversation is longer than ${maximumLength} tokens`
      : 'an example has no token that trains: no message of the trained roles has text',
    item.truncated
      ? 'Raise `maximumLength`, set `truncationSide: left`, or remove the example.'
      : 'Add an answer, change `trainOn`, or remove the example.',
  )
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<NextTokenItem, NextTokenBatch, TokenLosses> {
  if (o.packTo !== undefined) requirePackable(model, o.packTo, 'objective instruction-tuning')
  const limits = lengthsFor({ ...o, truncationSide: o.truncationSide ?? tokenizer.truncationSide }, model)
  const { maximumLength } = limits
  const read = conversationTokens({ tokenizer, roles: o.trainOn, limits })
  const { collate, predict, reference } = nextTokens({ ...o, tokenizer, maximumLength })
  return {
    views: ['tokens'],
    ...nextTokenHead(model, losses, model.vocabularySize ?? tokenizer.vocabularySize),
    maximumLength,
    encode: (example) => requireTrained(read(example), limits),
    encodeUnlabelled: read,
    collate,
    predict: ({ best }, items) => predict(best, items),
    reference,
  }
}

/**
 * Instruction and chat tuning, also called supervised fine-tuning (SFT): next-token prediction on conversations, where only the answers
 * train. A row is a list of `messages`, a ShareGPT conversation, a prompt and completion, or an Alpaca instruction. Messages are rendered
 * with the tokenizer's chat template; the tokens of the assistant's turns train, with their end-of-turn tokens. A prompt and completion
 * that are plain texts are joined without a template.
 *
 *     loss = Σ_i m_i · −log p(x_i | x_<i) / Σ_i m_i,   m_i = 1 for tokens that train
 *
 * The mean is over trained tokens of all conversations, not a mean of their means.
 */
export const instructionTuning = definePlugin({
  kind: OBJECTIVE,
  name: 'instruction-tuning',
  summary: 'Instruction and chat tuning (supervised fine-tuning): trains the answers of conversations',
  source: 'Ouyang et al., Training Language Models to Follow Instructions with Human Feedback, 2022, section 3.1',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective instruction-tuning': typeof instructionTuning
  }
}

export default instructionTuning
