import { AttuneError, type Budget, createBudget } from '@attune/core'
import { continuation } from './continue-message.js'
import { type Template, type Variables, compile, readVariables } from './jinja/render-template.js'
import type { List, Value } from './jinja/values/value.js'

/** A chat message; templates may read further fields. */
export interface Message {
  readonly role: string
  readonly content: string
  readonly [field: string]: unknown
}

/** Options of chat template rendering. */
export interface ChatOptions {
  /** True to append the generation prompt (the start of an assistant turn). Default: false. */
  readonly addGenerationPrompt?: boolean
  /** True to leave the last message open for the model to continue. Default: false. */
  readonly continueFinalMessage?: boolean
  /** Tool definitions, for templates that support tools; `none` in the template if absent. */
  readonly tools?: readonly unknown[]
  /** Documents for retrieval-augmented generation, each with `title` and `text`; `none` if absent. */
  readonly documents?: readonly unknown[]
  /** Further template variables, such as `bos_token` and `eos_token`. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/** Options of {@link renderSpokenChat}. */
export interface SpokenChatOptions extends ChatOptions {
  /** Indices of the messages whose text is wanted, in ascending order. Default: the assistant's. */
  readonly turns?: readonly number[]
}

/** A half-open range in UTF-16 units. */
type Span = readonly [start: number, end: number]

/** A conversation rendered to one text. */
export interface RenderedChat {
  readonly text: string
  /**
   * Spans of the assistant's text, from the template's `{% generation %}` blocks. Absent if the template has none, or if one is
   * inside a set or filter block, where its position is unknown.
   */
  readonly assistant?: readonly Span[]
}

/** A conversation rendered to one text, with the spans of the assistant's text. */
export type SpokenChat = Required<RenderedChat>

const MAXIMUM_TEMPLATE = 200_000
const GENERATION = /\{%[-+]?\s*generation\s*[-+]?%\}/

/** Limits for one rendering: 50 ms and 64 MB, plus an allowance per byte of template and conversation. */
const LIMITS = { steps: 10_000_000, stepsPerByte: 200, bytes: 64_000_000, bytesPerByte: 128 }
/** Input bytes beyond which the allowance no longer grows: 2 s and 192 MB. */
const MAXIMUM_INPUT = 1_000_000

const refuse = (problem: string, cause?: unknown): AttuneError =>
  new AttuneError(
    'BAD_CHAT_TEMPLATE',
    problem,
    'Use messages with the roles, order and fields that the template expects, or use another template.',
    cause === undefined ? undefined : { cause },
  )

const unclear = (why: string, cause?: unknown): AttuneError =>
  new AttuneError(
    'CHAT_TURNS_UNCLEAR',
    `cannot find the assistant's turns in the text rendered by the chat template: ${why}`,
    "Wrap the assistant's text in {% generation %} and {% endgeneration %} in the template.",
    cause === undefined ? undefined : { cause },
  )

/** A budget that grows with its input up to a maximum size. */
function cappedBudget(inputBytes: number, most: number, makeError: (why: string) => Error): Budget {
  let left = most - inputBytes
  const budget = createBudget(inputBytes, makeError, LIMITS)
  return {
    ...budget,
    allow(more) {
      budget.allow(Math.max(0, Math.min(more, left)))
      left -= more
    },
  }
}

/** Message fields that may hold a model's reasoning; the first one that is present is used. */
const REASONING = ['reasoning_content', 'thinking', 'reasoning']

/** A message as transformers passes it to templates: without null fields, and with its reasoning under each known name. */
function normalize(message: Message): Readonly<Record<string, unknown>> {
  const fields = Object.fromEntries(Object.entries(message).filter(([, value]) => value != null))
  const name = REASONING.find((each) => Object.hasOwn(fields, each))
  return name === undefined ? fields : { thinking: fields[name], ...fields, reasoning_content: fields[name] }
}

/** A compiled template with its conversation and variables. */
interface Chat {
  readonly template: Template
  readonly variables: Variables
  readonly messages: readonly Value[]
  readonly budget: Budget
  /** Bytes of the template and its variables. */
  readonly bytes: number
}

function prepare(template: string, messages: readonly Message[], options: ChatOptions): Chat {
  if (messages.length === 0) throw refuse('expected at least one message, got none')
  if (template.length > MAXIMUM_TEMPLATE)
    throw refuse(`expected a chat template of at most ${MAXIMUM_TEMPLATE} characters, got ${template.length}`)
  const failed = (why: string, cause?: unknown): AttuneError =>
    refuse(`the chat template could not be applied to ${messages.length} messages: ${why}`, cause)
  const capped = cappedBudget(template.length, MAXIMUM_INPUT, failed)
  let bytes = template.length
  const budget: Budget = {
    ...capped,
    allow(more) {
      bytes += more
      capped.allow(more)
    },
  }
  const { tools = null, documents = null, variables } = options
  try {
    const values = readVariables({ tools, documents, ...variables, messages: messages.map(normalize) }, budget)
    const { items } = values.get('messages') as List
    return { template: compile(template, budget), variables: values, messages: items, budget, bytes }
  } catch (cause) {
    throw 'code' in (cause as Error) ? cause : failed((cause as Error).message, cause)
  }
}

function render(chat: Chat, count: number, addGenerationPrompt: boolean, budget: Pick<Budget, 'spend' | 'hold'>) {
  const variables = new Map(chat.variables)
  if (count < chat.messages.length) variables.set('messages', { kind: 'list', items: chat.messages.slice(0, count) })
  variables.set('add_generation_prompt', addGenerationPrompt)
  try {
    return chat.template(variables, budget)
  } catch (cause) {
    if ('code' in (cause as Error)) throw cause
    const problem = `the chat template could not be applied to ${count} messages: ${(cause as Error).message}`
    throw refuse(problem, cause)
  }
}

/**
 * Renders a conversation to one text with a Jinja chat template, like `apply_chat_template` of transformers. Templates are
 * untrusted: their time and memory are bounded by the size of the template and the conversation.
 * @throws AttuneError `BAD_CHAT_TEMPLATE` if the template is invalid, too long, exceeds its limits, or refuses the messages
 *
 * @example
 * ```ts
 * import { renderChat } from '@attune/text'
 * const template = '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}'
 * console.log(renderChat(template, [{ role: 'user', content: 'Hi' }]).text) // <user>Hi
 * ```
 */
export function renderChat(template: string, messages: readonly Message[], options: ChatOptions = {}): RenderedChat {
  const { addGenerationPrompt = false, continueFinalMessage = false } = options
  if (continueFinalMessage) return renderContinued(template, messages, options)
  const chat = prepare(template, messages, options)
  const { text, spans, hasHiddenSpan } = render(chat, messages.length, addGenerationPrompt, chat.budget)
  return GENERATION.test(template) && !hasHiddenSpan ? { text, assistant: spans } : { text }
}

function renderContinued(template: string, messages: readonly Message[], options: ChatOptions): RenderedChat {
  if (options.addGenerationPrompt === true)
    throw refuse('expected addGenerationPrompt or continueFinalMessage, got both')
  const continued = continuation(messages)
  if (continued === undefined) throw refuse('expected text in the last message to continue, got none')
  const chat = prepare(template, continued.messages, options)
  const text = continued.truncate(render(chat, messages.length, false, chat.budget).text)
  if (text === undefined) throw refuse('the chat template leaves out the last message, which should be continued')
  return { text }
}

/** Allowance of each further rendering of a part of the conversation, as a fraction of that of the first rendering. */
const REPEATED = 0.1
const MAXIMUM_REPEATED = 750_000

/**
 * Spans of turns. Each begins where the rendering of the preceding messages ends (with the generation prompt, for a turn of the
 * assistant), and ends where the rendering that includes the turn ends.
 */
function turnsOf(
  chat: Chat,
  text: string,
  { messages, turns, inputBytes }: { messages: readonly Message[]; turns: readonly number[]; inputBytes: number },
): readonly Span[] {
  const budget = cappedBudget(inputBytes, MAXIMUM_REPEATED, (why) => unclear(`the search costs too much: ${why}`))
  const rendered = (count: number, addGenerationPrompt: boolean): string => {
    budget.allow((REPEATED * inputBytes * count) / messages.length)
    const { hold } = createBudget(inputBytes, unclear, LIMITS)
    try {
      const { text } = render(chat, count, addGenerationPrompt, { spend: budget.spend, hold })
      // Comparing it with the other renderings reads all of it.
      budget.spend(text.length >> 2)
      return text
    } catch (cause) {
      if ((cause as AttuneError).code === 'CHAT_TURNS_UNCLEAR') throw cause
      throw unclear(`the template refuses the first ${count} of ${messages.length} messages alone`, cause)
    }
  }
  return turns.map((at): Span => {
    const isAnswer = messages[at]?.role === 'assistant'
    const before = at === 0 && !isAnswer ? '' : rendered(at, isAnswer)
    const after = rendered(at + 1, false)
    if (!after.startsWith(before)) throw unclear(`message ${at + 1} does not start with the generation prompt`)
    if (!text.startsWith(after)) throw unclear(`message ${at + 1} is rendered differently when others follow`)
    return [before.length, after.length]
  })
}

/**
 * Renders a conversation to one text like {@link renderChat}, and finds the spans of the assistant's text: the contents of the
 * template's `{% generation %}` blocks or, without such blocks or for given `turns`, the text that each turn adds, including its
 * end-of-turn tokens. The first message includes what the template puts before it, unless it is the assistant's.
 * @throws AttuneError `BAD_CHAT_TEMPLATE` like {@link renderChat}; `CHAT_TURNS_UNCLEAR` if a generation block is inside a set
 *   or filter block, or if the template has no such blocks and renders a turn differently when others follow
 */
export function renderSpokenChat(
  template: string,
  messages: readonly Message[],
  options: SpokenChatOptions = {},
): SpokenChat {
  const { addGenerationPrompt = false, continueFinalMessage = false } = options
  if (continueFinalMessage) throw unclear('a conversation to be continued has no complete last turn')
  const chat = prepare(template, messages, options)
  const { text, spans, hasHiddenSpan } = render(chat, messages.length, addGenerationPrompt, chat.budget)
  if (hasHiddenSpan) throw unclear('a {% generation %} block is inside a set or filter block')
  if (options.turns === undefined && GENERATION.test(template)) return { text, assistant: spans }
  const answers = messages.flatMap(({ role }, at) => (role === 'assistant' ? [at] : []))
  const { turns = answers } = options
  return { text, assistant: turnsOf(chat, text, { messages, turns, inputBytes: Math.min(chat.bytes, MAXIMUM_INPUT) }) }
}

/**
 * Assistant mask over tokens: 1 if the token begins within an assistant span, else 0. `offsets` are the offsets of the rendered
 * text's tokens.
 */
export const assistantMask = ({ assistant }: SpokenChat, offsets: readonly Span[]): readonly number[] =>
  offsets.map(([start, end]) => (end > start && assistant.some(([from, to]) => start >= from && start < to) ? 1 : 0))
