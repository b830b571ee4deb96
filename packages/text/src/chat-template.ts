import { AttuneError } from '@attune/core'
import { Template } from '@huggingface/jinja'

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

/** A conversation as one text. */
export interface RenderedChat {
  readonly text: string
  /** From where to before where the assistant speaks, in UTF-16 units, as the template's `{% generation %}` blocks say. */
  readonly assistant: readonly (readonly [start: number, end: number])[]
}

/** Characters that Unicode keeps out of texts for ever; they mark where a block begins and ends. */
const [BEGIN, END] = ['\ufdd0', '\ufdd1']
const MAXIMUM_TEMPLATE = 200_000

const refuse = (problem: string, cause?: unknown): AttuneError =>
  new AttuneError(
    'BAD_CHAT_TEMPLATE',
    problem,
    'Give messages that the template takes (roles, their order, fields), or another template.',
    cause === undefined ? undefined : { cause },
  )

/**
 * A template whose `{% generation %}` blocks leave marks in the text. Each tag becomes a block that is always taken, so that
 * the white space around it is treated as around any tag.
 */
const marked = (template: string): string =>
  template.replace(
    /\{%(-?)\s*(end)?generation\s*(-?)%\}/g,
    (_, left: string, end: string | undefined, right: string) =>
      `{%${left} if true %}{{ '${end === undefined ? BEGIN : END}' }}{% endif ${right}%}`,
  )

/** Takes the marks out of a text, and tells where they were. */
function unmark(text: string): RenderedChat {
  const assistant: [number, number][] = []
  let [plain, start] = ['', 0]
  for (const part of text.split(/([\ufdd0\ufdd1])/))
    if (part === BEGIN) start = plain.length
    else if (part === END) assistant.push([start, plain.length])
    else plain += part
  return { text: plain, assistant }
}

/**
 * Makes one text of a conversation by a Jinja template, as tokenizers of chat models bring one along, and tells which parts
 * of it the assistant says.
 * @throws AttuneError `BAD_CHAT_TEMPLATE` if the template is not one, is too long, or refuses the messages
 */
export function renderChat(template: string, messages: readonly Message[], options: ChatOptions = {}): RenderedChat {
  if (template.length > MAXIMUM_TEMPLATE)
    throw refuse(`the chat template has ${template.length} characters; ${MAXIMUM_TEMPLATE} at most`)
  if (messages.some(({ content }) => typeof content === 'string' && /[\ufdd0\ufdd1]/.test(content)))
    throw refuse('a message contains U+FDD0 or U+FDD1, which are no characters')
  try {
    const text = new Template(marked(template)).render({
      messages,
      add_generation_prompt: options.addGenerationPrompt ?? false,
      ...(options.tools === undefined ? {} : { tools: options.tools }),
      ...options.variables,
    })
    return unmark(text)
  } catch (cause) {
    throw refuse(
      `the chat template could not be applied to ${messages.length} messages: ${(cause as Error).message}`,
      cause,
    )
  }
}

/**
 * For each token whether the assistant says it: 1 where the token begins within a part of the assistant's. `offsets` are those
 * of the rendered text's tokens.
 */
export const assistantMask = (
  { assistant }: RenderedChat,
  offsets: readonly (readonly [start: number, end: number])[],
): readonly number[] =>
  offsets.map(([start, end]) => (end > start && assistant.some(([from, to]) => start >= from && start < to) ? 1 : 0))
