import { AttuneError, type Tokenizer, excerpt } from '@attune/core'
import { type Message, renderSpokenChat } from '../chat-template.js'
import { templateVariables } from '../template-variables.js'
import { trainingTemplate } from './training-template.js'

type Span = readonly [start: number, end: number]

/** A rendered conversation, and the spans of its text that train, in UTF-16 units. */
export interface TrainedText {
  readonly text: string
  readonly spans: readonly Span[]
}

/** The parts of a message that train: all of it, nothing, or spans of its content. */
function partOf(message: Message, at: number): boolean | readonly Span[] | undefined {
  const { train } = message
  const isSpan = (each: unknown): each is Span =>
    Array.isArray(each) && each.length === 2 && each.every((n) => Number.isInteger(n) && n >= 0) && each[0] < each[1]
  if (train === undefined || typeof train === 'boolean') return train
  if (Array.isArray(train) && train.every(isSpan) && typeof message.content === 'string') {
    const last = Math.max(0, ...train.map(([, end]) => end))
    if (last <= message.content.length) return train
  }
  throw new AttuneError(
    'BAD_ROW',
    `expected true, false or a list of [start, end) within the content as \`train\` of message ${at + 1}, got ${excerpt(train, 120)}`,
    'Count in UTF-16 units, as JavaScript strings do, or omit `train`.',
  )
}

/** Spans of the content within a turn of the rendered text. @throws AttuneError `CHAT_TURNS_UNCLEAR` */
function within(text: string, [from, to]: Span, content: string, spans: readonly Span[], at: number): readonly Span[] {
  const start = text.indexOf(content, from)
  if (start >= 0 && start + content.length <= to) return spans.map(([a, b]): Span => [start + a, start + b])
  throw new AttuneError(
    'CHAT_TURNS_UNCLEAR',
    `the chat template changes the content of message ${at + 1}, so that spans of it have no position in the text`,
    'Train the whole message, or use a template that renders it unchanged.',
  )
}

/**
 * Renders messages with a chat template, and finds what trains: the messages of the given roles, except those with `train: false`, and any
 * message with `train: true` or spans of its content. Without such fields, for the assistant alone, the `{% generation %}` blocks of the
 * template decide, or those of the training template that replaces a known public one: see {@link trainingTemplate}.
 * @throws AttuneError `BAD_CHAT_TEMPLATE`, `CHAT_TURNS_UNCLEAR`, `BAD_ROW`
 */
export function trainedText(
  { messages, tools }: { readonly messages: readonly Message[]; readonly tools?: readonly unknown[] },
  {
    template: given,
    roles,
    tokenizer,
  }: { template: string; roles: readonly string[]; tokenizer: Pick<Tokenizer, 'files'> },
): TrainedText {
  const template = trainingTemplate(given)
  const parts = messages.map(partOf)
  const plain = messages.map(({ train: _, ...message }) => message as Message)
  const options = { variables: templateVariables(tokenizer), ...(tools === undefined ? {} : { tools }) }
  const trains = parts.map((part, at) => part ?? roles.includes(messages[at]!.role))
  if (trains.every((part, at) => part === (messages[at]!.role === 'assistant'))) {
    const { text, assistant } = renderSpokenChat(template, plain, options)
    return { text, spans: assistant }
  }
  const turns = trains.flatMap((part, at) => (part === false ? [] : [at]))
  const { text, assistant } = renderSpokenChat(template, plain, { ...options, turns })
  const spans = turns.flatMap((at, i): readonly Span[] => {
    const part = trains[at]!
    return typeof part === 'boolean' ? [assistant[i]!] : within(text, assistant[i]!, messages[at]!.content, part, at)
  })
  return { text, spans }
}
