import { AttuneError, type Side, type Tokenizer } from '@attune/core'
import { type ChatOptions, type Message, renderChat } from '../chat-template.js'
import { templateVariables } from '../template-variables.js'
import { type ConversationTokens, chatTemplateOf } from './conversation-tokens.js'
import type { PromptedCompletions, TextOrMessages } from './preference-rows.js'

/** Token ids of a prompt, and of each of its completions without the prompt. */
export interface CompletionTokens {
  readonly prompt: readonly number[]
  readonly completions: readonly (readonly number[])[]
}

/** Number of leading tokens that two sequences have in common. */
function commonTokens(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((id, i) => id !== b[i])
  return at === -1 ? a.length : at
}

/** Renders messages with the tokenizer's chat template. @throws AttuneError `NO_CHAT_TEMPLATE`, `BAD_CHAT_TEMPLATE` */
function chatText(tokenizer: Tokenizer, messages: readonly Message[], options: ChatOptions): string {
  const variables = templateVariables(tokenizer)
  return renderChat(chatTemplateOf(tokenizer), messages, { ...options, variables }).text
}

/**
 * Returns the text of a prompt as it is tokenized: itself, or its messages rendered with the chat template and the generation prompt.
 * @throws AttuneError `NO_CHAT_TEMPLATE`, `BAD_CHAT_TEMPLATE`
 */
export function promptText(tokenizer: Tokenizer, { prompt, tools }: Omit<PromptedCompletions, 'completions'>): string {
  if (typeof prompt === 'string') return prompt
  return prompt.length === 0
    ? ''
    : chatText(tokenizer, prompt, { addGenerationPrompt: true, ...(tools === undefined ? {} : { tools }) })
}

/** Token ids of a prompt and a completion together; a plain text ends with the end token. */
function together(
  tokenizer: Tokenizer,
  { prompt, tools }: PromptedCompletions,
  completion: TextOrMessages,
): readonly number[] {
  if (typeof completion !== 'string') {
    const messages = [...(prompt as readonly Message[]), ...completion]
    const text = chatText(tokenizer, messages, tools === undefined ? {} : { tools })
    return tokenizer.encode(text, { addSpecialTokens: false }).ids
  }
  const { end } = tokenizer.special
  const { ids } = tokenizer.encode((prompt as string) + completion)
  return end === undefined || ids.at(-1) === end ? ids : [...ids, end]
}

/**
 * Tokenizes a prompt together with each of its completions, as trl does. Messages are rendered with the chat template; a plain completion
 * is followed by the end token. The prompt ends where its own tokens and those of the joined texts diverge, usually at its end.
 * @throws AttuneError `NO_CHAT_TEMPLATE`, `BAD_CHAT_TEMPLATE`
 */
export function completionTokens(tokenizer: Tokenizer, row: PromptedCompletions): CompletionTokens {
  const isChat = typeof row.prompt !== 'string'
  const alone = tokenizer.encode(promptText(tokenizer, row), isChat ? { addSpecialTokens: false } : {}).ids
  const joined = row.completions.map((completion) => together(tokenizer, row, completion))
  const end = Math.min(alone.length, ...joined.map((ids) => commonTokens(alone, ids)))
  return { prompt: alone.slice(0, end), completions: joined.map((ids) => ids.slice(end)) }
}

/** Limits of a prompt with a completion, in tokens. */
export interface CompletionLimits {
  /** Maximum of both together; the `truncationSide` is truncated. */
  readonly maximumLength: number
  /** Default: right. */
  readonly truncationSide?: Side | undefined
  /** A longer prompt keeps its end. Default: no limit. */
  readonly maximumPromptLength?: number | undefined
  /** A longer completion keeps its beginning. Default: no limit. */
  readonly maximumCompletionLength?: number | undefined
}

/**
 * Joins a prompt and a completion within limits; the tokens of the completion train.
 * @throws AttuneError `NO_TRAINED_TOKENS` if nothing of the completion is left
 */
export function joinCompletion(
  prompt: readonly number[],
  completion: readonly number[],
  limits: CompletionLimits,
): ConversationTokens {
  const { maximumLength, truncationSide, maximumPromptLength = Infinity, maximumCompletionLength } = limits
  const asked = prompt.slice(Math.max(0, prompt.length - maximumPromptLength))
  const written = completion.slice(0, maximumCompletionLength)
  const lost = Math.max(0, asked.length + written.length - maximumLength)
  const within = <T>(all: readonly T[]): readonly T[] =>
    truncationSide === 'left' ? all.slice(lost) : all.slice(0, all.length - lost)
  const ids = within([...asked, ...written])
  const trained = within([...asked.map(() => 0), ...written.map(() => 1)])
  if (!trained.includes(1))
    throw new AttuneError(
      'NO_TRAINED_TOKENS',
      `the completion of an example was cut off entirely: its prompt has ${asked.length} of at most ${maximumLength} tokens`,
      'Raise `maximumLength`, limit `maximumPromptLength`, or remove the example.',
    )
  return { ids, trained, length: ids.length, truncated: ids.length < prompt.length + completion.length }
}
