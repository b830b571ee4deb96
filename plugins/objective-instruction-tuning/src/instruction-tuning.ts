import {
  AttuneError,
  type Encoding,
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
} from '@attune/data'
import { type TokenLosses, nextTokenHead, requirePackable } from '@attune/nn'
import { assistantMask } from '@attune/text'
import { z } from 'zod'
import { conversationOf } from './conversation.js'
import { trainedText } from './trained-spans.js'

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

/** The tokenizer's chat template. @throws AttuneError `NO_CHAT_TEMPLATE` */
function templateOf({ chatTemplate }: Tokenizer): string {
  if (chatTemplate !== undefined) return chatTemplate
  throw new AttuneError(
    'NO_CHAT_TEMPLATE',
    "the model's tokenizer has no chat template",
    "Save one as chat_template.jinja in the tokenizer's folder, or use rows of `prompt` and `completion`.",
  )
}

/** Tokens of a prompt and its completion; the completion trains, with the end token after it. */
function plainTokens(tokenizer: Tokenizer, prompt: string, completion: string, limits: Limits): NextTokenItem {
  const { end } = tokenizer.special
  const { ids, truncated, offsets, specialMask } = tokenizer.encode(prompt + completion, { ...limits, offsets: true })
  const trained = offsets!.map(([from], i) => (specialMask![i] === 1 ? 0 : Number(from >= prompt.length)))
  // A template's own end token ends the completion, too.
  if (end !== undefined && ids.at(-1) === end && !truncated)
    return { ids, trained: trained.with(-1, 1), length: ids.length, truncated }
  const isOpen = end !== undefined && !truncated && ids.length < limits.maximumLength
  const all = isOpen ? { ids: [...ids, end], trained: [...trained, 1] } : { ids, trained }
  return { ...all, length: all.ids.length, truncated }
}

/** Tokens of a conversation, each 1 if it begins in a span that trains. */
function chatTokens(
  { ids, truncated, offsets }: Encoding,
  text: string,
  spans: readonly (readonly [number, number])[],
) {
  return { ids, trained: assistantMask({ text, assistant: spans }, offsets!), length: ids.length, truncated }
}

function reader(o: Options, tokenizer: Tokenizer, limits: Limits) {
  return (example: Example): NextTokenItem => {
    const conversation = conversationOf(example)
    if ('prompt' in conversation) return plainTokens(tokenizer, conversation.prompt, conversation.completion, limits)
    const { text, spans } = trainedText(conversation, {
      template: templateOf(tokenizer),
      roles: o.trainOn,
      tokenizer,
    })
    return chatTokens(tokenizer.encode(text, { ...limits, offsets: true, addSpecialTokens: false }), text, spans)
  }
}

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
  const read = reader(o, tokenizer, limits)
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
