import { type AttuneError, excerpt, isRecord } from '@attune/core'
import type { Message } from '../chat-template.js'

/** An own field of an example, or undefined. */
export const own = (row: object, name: string): unknown =>
  Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined

/**
 * The messages of a field: `[{ role, content }]`.
 * @param refuse makes the error for another value, from its description
 */
export function messagesIn(
  value: unknown,
  field: string,
  refuse: (problem: string) => AttuneError,
): readonly Message[] {
  if (!Array.isArray(value) || value.length === 0)
    throw refuse(`expected a list of messages in field "${field}" of an example, got ${excerpt(value, 120)}`)
  return value.map((each: unknown, i) => {
    if (isRecord(each) && typeof each['role'] === 'string' && (each['content'] != null || each['tool_calls'] != null))
      return each as unknown as Message
    throw refuse(`expected { role, content } as message ${i + 1} of field "${field}", got ${excerpt(each, 120)}`)
  })
}
