import { AttuneError } from '@attune/core'
import { renderBounded } from './bounded-template.js'

/** One turn of a conversation; templates may read further fields. */
export interface Message {
  readonly role: string
  readonly content: string
  readonly [field: string]: unknown
}

/** What a template is rendered with. */
export interface ChatOptions {
  /** Whether to end with what an answer begins with. Default: false. */
  readonly addGenerationPrompt?: boolean
  /** Descriptions of tools, for templates that tell the model of them. */
  readonly tools?: readonly unknown[]
  /** Further variables, `bos_token` and `eos_token` among them. */
  readonly variables?: Readonly<Record<string, unknown>>
}

/** From where to before where, in UTF-16 units. */
type Span = readonly [start: number, end: number]

/** A conversation as one text. */
export interface RenderedChat {
  readonly text: string
  /** Where the assistant speaks, as the template's `{% generation %}` blocks say; absent where it has none. */
  readonly assistant?: readonly Span[]
}

/** A conversation as one text, and where the assistant speaks. */
export type SpokenChat = Required<RenderedChat>

/** Characters that Unicode keeps out of texts for ever; they mark where a block begins and ends. */
const [BEGIN, END] = ['\ufdd0', '\ufdd1']
const MARKS = /[\ufdd0\ufdd1]/
const MAXIMUM_TEMPLATE = 200_000
const GENERATION = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g

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

/**
 * A template whose `{% generation %}` blocks leave marks in the text. Each tag becomes a block that is always taken, so that
 * the white space around it is treated as around any tag.
 */
const marked = (template: string): string =>
  template.replace(
    GENERATION,
    (_, left: string, end: string | undefined, right: string) =>
      `{%${left} if true %}{{ '${end === undefined ? BEGIN : END}' }}{% endif ${right}%}`,
  )

/** Takes the marks out of a text, and tells where they were. */
function unmark(text: string): SpokenChat {
  const assistant: Span[] = []
  let [plain, start] = ['', 0]
  for (const part of text.split(/([\ufdd0\ufdd1])/))
    if (part === BEGIN) start = plain.length
    else if (part === END) assistant.push([start, plain.length])
    else plain += part
  return { text: plain, assistant }
}

/** The variables of a template. What it is given could forge its marks, wherever it stands. */
function variablesOf(messages: readonly Message[], options: ChatOptions): Readonly<Record<string, unknown>> {
  const { addGenerationPrompt = false, tools, variables } = options
  const given = {
    messages,
    add_generation_prompt: addGenerationPrompt,
    ...(tools === undefined ? {} : { tools }),
    ...variables,
  }
  let written: string
  try {
    written = JSON.stringify(given)
  } catch (cause) {
    throw refuse(`the messages are no plain values: ${(cause as Error).message}`, cause)
  }
  if (MARKS.test(written)) throw refuse('a message or a variable contains U+FDD0 or U+FDD1, which are no characters')
  return given
}

/**
 * Makes one text of a conversation by a Jinja template, as tokenizers of chat models bring one along. The template may do only
 * so much: one that would not end, or would fill the memory, is refused.
 * @throws AttuneError `BAD_CHAT_TEMPLATE` if the template is not one, is too long, does too much, or refuses the messages
 */
export function renderChat(template: string, messages: readonly Message[], options: ChatOptions = {}): RenderedChat {
  if (template.length > MAXIMUM_TEMPLATE)
    throw refuse(`the chat template has ${template.length} characters; ${MAXIMUM_TEMPLATE} at most`)
  if (MARKS.test(template)) throw refuse('the chat template contains U+FDD0 or U+FDD1, which are no characters')
  const variables = variablesOf(messages, options)
  const withMarks = marked(template)
  try {
    const { text, assistant } = unmark(renderBounded(withMarks, variables))
    return withMarks === template ? { text } : { text, assistant }
  } catch (cause) {
    throw refuse(
      `the chat template could not be applied to ${messages.length} messages: ${(cause as Error).message}`,
      cause,
    )
  }
}

/**
 * Where the assistant speaks: from where the conversation before its turn ends, with what an answer begins with, to where it
 * ends with that turn.
 */
function turnsOf(text: string, template: string, messages: readonly Message[], options: ChatOptions): readonly Span[] {
  const rendered = (count: number, addGenerationPrompt: boolean): string => {
    try {
      return renderChat(template, messages.slice(0, count), { ...options, addGenerationPrompt }).text
    } catch (cause) {
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
 * Makes one text of a conversation, as {@link renderChat} does, and tells which parts of it the assistant says: what stands in
 * the template's `{% generation %}` blocks, or, without any, what each of its turns adds, the tokens that end it included.
 * @throws AttuneError `BAD_CHAT_TEMPLATE` as there; `CHAT_TURNS_UNCLEAR` if the template has no such blocks and writes a turn
 *   in another way when others follow it
 */
export function renderSpokenChat(
  template: string,
  messages: readonly Message[],
  options: ChatOptions = {},
): SpokenChat {
  const { text, assistant } = renderChat(template, messages, options)
  return { text, assistant: assistant ?? turnsOf(text, template, messages, options) }
}

/**
 * For each token whether the assistant says it: 1 where the token begins within a part of the assistant's. `offsets` are those
 * of the rendered text's tokens.
 */
export const assistantMask = ({ assistant }: SpokenChat, offsets: readonly Span[]): readonly number[] =>
  offsets.map(([start, end]) => (end > start && assistant.some(([from, to]) => start >= from && start < to) ? 1 : 0))
