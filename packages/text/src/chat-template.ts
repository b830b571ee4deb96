import { AttuneError, type Budget, createBudget } from '@attune/core'
import { continuation } from './continue-message.js'
import { type Template, type Variables, compile, readVariables } from './jinja/render-template.js'
import type { List, Value } from './jinja/values/value.js'

/** One turn of a conversation; templates may read further fields. */
export interface Message {
  readonly role: string
  readonly content: string
  readonly [field: string]: unknown
}

/** What a template is rendered with. */
export interface ChatOptions {
  /** True to end with what an answer begins with. Default: false. */
  readonly addGenerationPrompt?: boolean
  /** True to end within the last message, so that a model continues it. Default: false. */
  readonly continueFinalMessage?: boolean
  /** Descriptions of tools, for templates that tell the model of them; none (`none` in the template) if absent. */
  readonly tools?: readonly unknown[]
  /** Documents for retrieval-augmented generation, each with `title` and `text`; none if absent. */
  readonly documents?: readonly unknown[]
  /** Further variables, `bos_token` and `eos_token` among them. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/** From where to before where, in UTF-16 units. */
type Span = readonly [start: number, end: number]

/** A conversation as one text. */
export interface RenderedChat {
  readonly text: string
  /**
   * Where the assistant speaks, as the template's `{% generation %}` blocks say; absent where it has none, or where one stands in
   * a set or filter block, which hides its position.
   */
  readonly assistant?: readonly Span[]
}

/** A conversation as one text, and where the assistant speaks. */
export type SpokenChat = Required<RenderedChat>

const MAXIMUM_TEMPLATE = 200_000
const GENERATION = /\{%[-+]?\s*generation\s*[-+]?%\}/

/** What a template and its conversation allow a rendering to cost: 50 ms and 64 MB, and more by their size. */
const LIMITS = { steps: 10_000_000, stepsPerByte: 200, bytes: 64_000_000, bytesPerByte: 128 }
/** Bytes beyond which a conversation does not allow more: 2 s and 192 MB. */
const MAXIMUM_INPUT = 1_000_000

const refuse = (problem: string, cause?: unknown): AttuneError =>
  new AttuneError(
    'BAD_CHAT_TEMPLATE',
    problem,
    'Give messages that the template takes (roles, their order, fields), or another template.',
    cause === undefined ? undefined : { cause },
  )

const unclear = (why: string, cause?: unknown): AttuneError =>
  new AttuneError(
    'CHAT_TURNS_UNCLEAR',
    `what the assistant says cannot be told apart in the text that the chat template makes: ${why}`,
    'Put {% generation %} and {% endgeneration %} around it in the template.',
    cause === undefined ? undefined : { cause },
  )

/** A budget that grows with its input, but only up to a size. */
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

/** Names under which messages carry a model's reasoning; templates read the first. */
const REASONING = ['reasoning_content', 'thinking', 'reasoning']

/** A message as transformers gives it to templates: without fields that are null, its reasoning under each known name. */
function normalize(message: Message): Readonly<Record<string, unknown>> {
  const given = Object.fromEntries(Object.entries(message).filter(([, value]) => value != null))
  const name = REASONING.find((each) => Object.hasOwn(given, each))
  return name === undefined ? given : { thinking: given[name], ...given, reasoning_content: given[name] }
}

/** A compiled template with the conversation and variables that it renders. */
interface Chat {
  readonly template: Template
  readonly variables: Variables
  readonly messages: readonly Value[]
  readonly budget: Budget
  /** Bytes of the template and its variables. */
  readonly bytes: number
}

function prepare(template: string, messages: readonly Message[], options: ChatOptions): Chat {
  if (template.length > MAXIMUM_TEMPLATE)
    throw refuse(`the chat template has ${template.length} characters; ${MAXIMUM_TEMPLATE} at most`)
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
 * Renders a conversation to one text with a Jinja template, as `apply_chat_template` of transformers does. A template comes with a
 * model from anywhere: what it may cost is bounded by its size and that of the conversation.
 * @throws AttuneError `BAD_CHAT_TEMPLATE` if the template is not one, is too long, costs too much, or refuses the messages
 *
 * @example
 * renderChat('{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}', [{ role: 'user', content: 'Hi' }]).text // '<user>Hi'
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
  if (continued === undefined) throw refuse('expected text in the last message, which is to be continued, got none')
  const chat = prepare(template, continued.messages, options)
  const text = continued.cut(render(chat, messages.length, false, chat.budget).text)
  if (text === undefined) throw refuse('the chat template leaves out the last message, which is to be continued')
  return { text }
}

/** Steps and bytes that one more rendering of a part of the conversation allows, as a fraction of those of the first. */
const REPEATED = 0.1
const MAXIMUM_REPEATED = 750_000

/**
 * Where the assistant speaks: from where the conversation before its turn ends, with what an answer begins with, to where it
 * ends with that turn.
 */
function turnsOf(chat: Chat, text: string, messages: readonly Message[], inputBytes: number): readonly Span[] {
  const budget = cappedBudget(inputBytes, MAXIMUM_REPEATED, (why) => unclear(`finding that out costs too much: ${why}`))
  const rendered = (count: number, addGenerationPrompt: boolean): string => {
    budget.allow((REPEATED * inputBytes * count) / messages.length)
    const { hold } = createBudget(inputBytes, unclear, LIMITS)
    try {
      const { text } = render(chat, count, addGenerationPrompt, { spend: budget.spend, hold })
      // It is compared with others, from end to end.
      budget.spend(text.length >> 2)
      return text
    } catch (cause) {
      if ((cause as AttuneError).code === 'CHAT_TURNS_UNCLEAR') throw cause
      throw unclear(`it refuses the first ${count} of ${messages.length} messages alone`, cause)
    }
  }
  return messages.flatMap(({ role }, at): readonly Span[] => {
    if (role !== 'assistant') return []
    const [before, after] = [rendered(at, true), rendered(at + 1, false)]
    if (!after.startsWith(before)) throw unclear(`message ${at + 1} does not go on from what an answer begins with`)
    if (!text.startsWith(after)) throw unclear(`message ${at + 1} is written differently when others follow`)
    return [[before.length, after.length]]
  })
}

/**
 * Renders a conversation to one text, as {@link renderChat} does, and finds which parts of it the assistant says: what stands in
 * the template's `{% generation %}` blocks, or, without any, what each of its turns adds, the tokens that end it included.
 * @throws AttuneError `BAD_CHAT_TEMPLATE` as there; `CHAT_TURNS_UNCLEAR` if the template has no such blocks and writes a turn
 *   in another way when others follow it, or has one in a set or filter block
 */
export function renderSpokenChat(
  template: string,
  messages: readonly Message[],
  options: ChatOptions = {},
): SpokenChat {
  const { addGenerationPrompt = false, continueFinalMessage = false } = options
  if (continueFinalMessage) throw unclear('a conversation that is to be continued has no last turn')
  const chat = prepare(template, messages, options)
  const { text, spans, hasHiddenSpan } = render(chat, messages.length, addGenerationPrompt, chat.budget)
  if (hasHiddenSpan) throw unclear('a {% generation %} block stands in a set or filter block')
  if (GENERATION.test(template)) return { text, assistant: spans }
  return { text, assistant: turnsOf(chat, text, messages, Math.min(chat.bytes, MAXIMUM_INPUT)) }
}

/**
 * For each token whether the assistant says it: 1 where the token begins within a part of the assistant's. `offsets` are those
 * of the rendered text's tokens.
 */
export const assistantMask = ({ assistant }: SpokenChat, offsets: readonly Span[]): readonly number[] =>
  offsets.map(([start, end]) => (end > start && assistant.some(([from, to]) => start >= from && start < to) ? 1 : 0))
