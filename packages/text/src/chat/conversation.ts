import { AttuneError, type Example, excerpt, isRecord } from '@attune/core'
import type { Message } from '../chat-template.js'
import { messagesIn, own } from './messages-in.js'

/** A conversation, or a prompt and its completion as plain texts, to which no template is applied. */
export type Conversation =
  | { readonly messages: readonly Message[]; readonly tools?: readonly unknown[] }
  | { readonly prompt: string; readonly completion: string }

/** Roles in ShareGPT's files. */
const SHAREGPT: Readonly<Record<string, string>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  chatgpt: 'assistant',
  system: 'system',
  tool: 'tool',
  function_response: 'tool',
}

const LAYOUTS =
  '`messages` ([{ role, content }]), `conversations` ([{ from, value }]), `prompt` and `completion`, or `instruction` and `output`'

const refuse = (problem: string): AttuneError =>
  new AttuneError('MISSING_FIELD', problem, `Rows have one of these layouts: ${LAYOUTS}.`)

/** The messages of a ShareGPT conversation. @throws AttuneError `MISSING_FIELD` */
function shareGpt(value: unknown): readonly Message[] {
  if (!Array.isArray(value) || value.length === 0)
    throw refuse(`expected a list of turns in field "conversations" of an example, got ${excerpt(value, 120)}`)
  return value.map((each: unknown, i) => {
    const { from, value: content } = isRecord(each) ? each : {}
    const role = typeof from === 'string' && Object.hasOwn(SHAREGPT, from) ? SHAREGPT[from] : undefined
    if (role !== undefined && typeof content === 'string') return { role, content }
    throw refuse(
      `expected { from, value } with a role such as human or gpt as turn ${i + 1} of field "conversations", got ${excerpt(each, 120)}`,
    )
  })
}

/** Prompt and completion: two plain texts, or two lists of messages. */
function promptAndCompletion(prompt: unknown, completion: unknown): Conversation {
  if (typeof prompt === 'string' && typeof completion === 'string') return { prompt, completion }
  const asked = messagesIn(prompt, 'prompt', refuse).map((message) => ({ ...message, train: false }))
  return { messages: [...asked, ...messagesIn(completion, 'completion', refuse)] }
}

/** Alpaca's instruction, optional input, and output. */
function alpaca(row: Example): readonly Message[] {
  const [instruction, input, output, system] = ['instruction', 'input', 'output', 'system'].map((name) =>
    own(row, name),
  )
  if (typeof instruction !== 'string' || typeof output !== 'string')
    throw refuse(`expected texts in fields "instruction" and "output" of an example, got ${excerpt(row, 120)}`)
  const content = typeof input === 'string' && input !== '' ? `${instruction}\n\n${input}` : instruction
  return [
    ...(typeof system === 'string' && system !== '' ? [{ role: 'system', content: system }] : []),
    { role: 'user', content },
    { role: 'assistant', content: output },
  ]
}

/**
 * Reads the conversation of an example, in the layout of its fields: `messages` (with optional `tools`), `conversations` (ShareGPT),
 * `prompt` and `completion` (texts, or lists of messages), or `instruction`, `input` and `output` (Alpaca).
 * @throws AttuneError `MISSING_FIELD` for another layout or a malformed message
 */
export function conversationOf(example: Example): Conversation {
  const tools = own(example, 'tools')
  const withTools = Array.isArray(tools) && tools.length > 0 ? { tools: tools as unknown[] } : {}
  const messages = own(example, 'messages')
  if (messages !== undefined) return { messages: messagesIn(messages, 'messages', refuse), ...withTools }
  const turns = own(example, 'conversations')
  if (turns !== undefined) return { messages: shareGpt(turns), ...withTools }
  const [prompt, completion] = [own(example, 'prompt'), own(example, 'completion')]
  if (prompt !== undefined && completion !== undefined) return promptAndCompletion(prompt, completion)
  if (own(example, 'instruction') !== undefined) return { messages: alpaca(example) }
  throw refuse(
    `expected a conversation in an example, got the fields ${Object.keys(example).slice(0, 10).join(', ') || '(none)'}`,
  )
}
