import { AttuneError, type EncodeOptions, type Encoding, type Example, type Tokenizer } from '@attune/core'
import { assistantMask } from '../chat-template.js'
import { conversationOf } from './conversation.js'
import { trainedText } from './trained-spans.js'

/** Tokens of a conversation, with a mask of those that train. */
export interface ConversationTokens {
  readonly ids: readonly number[]
  /** 1 for tokens that the model learns to predict, 0 for those that it only reads. */
  readonly trained: readonly number[]
  /** Number of tokens. */
  readonly length: number
  readonly truncated: boolean
  /** Number of spans that train, such as answers, of which no token is left after the truncation. Default: 0. */
  readonly lostSpans?: number
}

/** Settings of {@link conversationTokens}. */
export interface ConversationSettings {
  readonly tokenizer: Tokenizer
  /** Roles whose messages train; a message with a field `train` decides for itself. */
  readonly roles: readonly string[]
  readonly limits: Pick<EncodeOptions, 'truncationSide'> & { readonly maximumLength: number }
}

/** Returns the tokenizer's chat template. @throws AttuneError `NO_CHAT_TEMPLATE` */
export function chatTemplateOf({ chatTemplate }: Pick<Tokenizer, 'chatTemplate'>): string {
  if (chatTemplate !== undefined) return chatTemplate
  throw new AttuneError(
    'NO_CHAT_TEMPLATE',
    "the model's tokenizer has no chat template",
    "Save one as chat_template.jinja in the tokenizer's folder, or use rows of `prompt` and `completion`.",
  )
}

/** Tokens of a prompt and its completion; the completion trains, with the end token after it. */
function plainTokens(
  { tokenizer, limits }: ConversationSettings,
  prompt: string,
  completion: string,
): ConversationTokens {
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
): ConversationTokens {
  const tokensOf = (assistant: typeof spans): readonly number[] => assistantMask({ text, assistant }, offsets!)
  const lostSpans = truncated ? spans.filter((span) => !tokensOf([span]).includes(1)).length : 0
  return { ids, trained: tokensOf(spans), length: ids.length, truncated, ...(lostSpans > 0 && { lostSpans }) }
}

/**
 * Returns a function that reads the conversation of an example (see {@link conversationOf}) as tokens. Messages are rendered with the
 * tokenizer's chat template; texts are joined without it, and an end token follows.
 * @throws AttuneError (from the function) `MISSING_FIELD`, `BAD_ROW`, `NO_CHAT_TEMPLATE`, `BAD_CHAT_TEMPLATE`, `CHAT_TURNS_UNCLEAR`
 *
 * @example
 * ```ts
 * import { conversationTokens } from '@attune/text'
 * import { tinyTokenizer } from '@attune/testkit/tiny'
 * const tokenizer = { ...tinyTokenizer(), chatTemplate: '{% for m in messages %}{{ m.role[0] }}:{{ m.content }};{% endfor %}' }
 * const read = conversationTokens({ tokenizer, roles: ['assistant'], limits: { maximumLength: 64 } })
 * const { ids, trained } = read({ prompt: 'two is ', completion: '2' })
 * console.log(ids.length, trained.join('')) // 10 0000000011
 * ```
 */
export function conversationTokens(settings: ConversationSettings): (example: Example) => ConversationTokens {
  const { tokenizer, roles, limits } = settings
  return (example) => {
    const conversation = conversationOf(example)
    if ('prompt' in conversation) return plainTokens(settings, conversation.prompt, conversation.completion)
    const { text, spans } = trainedText(conversation, { template: chatTemplateOf(tokenizer), roles, tokenizer })
    return chatTokens(tokenizer.encode(text, { ...limits, offsets: true, addSpecialTokens: false }), text, spans)
  }
}
