import { AttuneError, type Example, excerpt, isRecord } from '@attune/core'
import type { Message } from '../chat-template.js'
import { messagesIn, own } from './messages-in.js'

/** A plain text, to which no chat template is applied, or messages. */
export type TextOrMessages = string | readonly Message[]

/** A prompt with one or more completions: all plain texts, or all lists of messages. */
export interface PromptedCompletions {
  readonly prompt: TextOrMessages
  readonly completions: readonly TextOrMessages[]
  /** Tool definitions for the chat template. */
  readonly tools?: readonly unknown[]
}

const refuse = (problem: string): AttuneError =>
  new AttuneError(
    'MISSING_FIELD',
    problem,
    'Write texts in these fields, or lists of messages ([{ role, content }]) in all of them.',
  )

/** A text, or the messages of a field; one message alone counts as a list of one. @throws AttuneError `MISSING_FIELD` */
function textOrMessages(example: Example, field: string): TextOrMessages {
  const value = own(example, field)
  if (typeof value === 'string') return value
  if (value == null)
    throw refuse(
      `expected a text or messages in field "${field}" of an example, got the fields ${Object.keys(example).slice(0, 10).join(', ') || '(none)'}`,
    )
  return messagesIn(isRecord(value) ? [value] : value, field, refuse)
}

const toolsOf = (example: Example): Pick<PromptedCompletions, 'tools'> => {
  const tools = own(example, 'tools')
  return Array.isArray(tools) && tools.length > 0 ? { tools: tools as unknown[] } : {}
}

/** Number of leading messages or characters that two completions have in common; at least one of each remains. */
function commonBeginning(chosen: TextOrMessages, rejected: TextOrMessages): number {
  const same = (i: number): boolean => JSON.stringify(chosen[i]) === JSON.stringify(rejected[i])
  const most = Math.min(chosen.length, rejected.length) - (typeof chosen === 'string' ? 0 : 1)
  let at = 0
  while (at < most && same(at)) at++
  return typeof chosen === 'string' && chosen[at - 1] === ' ' ? at - 1 : at // a completion keeps its leading space
}

/**
 * Reads the preference pair of an example: `prompt`, `chosen` and `rejected`, which are texts or lists of messages. Without a prompt, it
 * is the common beginning of the two: their first messages, or characters. If only the prompt is a text, it is read as part of the two
 * conversations.
 * @returns the prompt with the chosen and the rejected completion
 * @throws AttuneError `MISSING_FIELD`
 *
 * @example
 * ```ts
 * import { preferenceOf } from '@attune/text'
 * console.log(preferenceOf({ chosen: 'The sky is blue.', rejected: 'The sky is green.' }))
 * // { prompt: 'The sky is', completions: [ ' blue.', ' green.' ] }
 * ```
 */
export function preferenceOf(example: Example): PromptedCompletions {
  const [chosen, rejected] = [textOrMessages(example, 'chosen'), textOrMessages(example, 'rejected')]
  if ((typeof chosen === 'string') !== (typeof rejected === 'string'))
    throw refuse(
      `expected texts or messages in both "chosen" and "rejected", got ${excerpt({ chosen, rejected }, 120)}`,
    )
  const prompt = own(example, 'prompt') == null ? undefined : textOrMessages(example, 'prompt')
  const isExplicit = prompt !== undefined && (typeof prompt === 'string') === (typeof chosen === 'string')
  if (isExplicit) return { prompt, completions: [chosen, rejected], ...toolsOf(example) }
  if (prompt !== undefined && typeof prompt !== 'string')
    throw refuse(`expected messages in field "chosen" of an example, as in "prompt", got ${excerpt(chosen, 120)}`)
  const at = commonBeginning(chosen, rejected)
  return {
    prompt: chosen.slice(0, at),
    completions: [chosen.slice(at), rejected.slice(at)],
    ...toolsOf(example),
  }
}

/**
 * Reads a prompt and its completion: `prompt` and `completion`, both texts or both lists of messages.
 * @throws AttuneError `MISSING_FIELD`
 */
export function promptedCompletion(example: Example): PromptedCompletions {
  const [prompt, completion] = [textOrMessages(example, 'prompt'), textOrMessages(example, 'completion')]
  if ((typeof prompt === 'string') !== (typeof completion === 'string'))
    throw refuse(
      `expected texts or messages in both "prompt" and "completion", got ${excerpt({ prompt, completion }, 120)}`,
    )
  return { prompt, completions: [completion], ...toolsOf(example) }
}

/**
 * Reads the prompt of an example, a text or a list of messages.
 * @throws AttuneError `MISSING_FIELD`
 */
export const promptOf = (example: Example): PromptedCompletions => ({
  prompt: textOrMessages(example, 'prompt'),
  completions: [],
  ...toolsOf(example),
})
