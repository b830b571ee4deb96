import type { RunEvent } from './events.js'
import { isRecord, parseJson } from './json.js'

/** JSON has no NaN or infinities: they are written as an object with this single field, which events do not use otherwise. */
const FIELD = 'number'

/** Serializes an event as one line of JSON. {@link parseEvent} restores the same values, including NaN and infinities. */
export const stringifyEvent = (event: RunEvent): string =>
  JSON.stringify(event, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? { [FIELD]: String(value) } : value,
  )

const revived = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(revived)
  if (!isRecord(value)) return value
  const { [FIELD]: number } = value
  if (typeof number === 'string' && Object.keys(value).length === 1) return Number(number)
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, revived(child)]))
}

/** Parses a line written by {@link stringifyEvent}. @throws SyntaxError if the line is not an event */
export function parseEvent(line: string): RunEvent {
  const event = revived(parseJson(line))
  if (isRecord(event) && typeof event['type'] === 'string' && typeof event['at'] === 'number')
    return event as unknown as RunEvent
  throw new SyntaxError('expected a JSON event with `type` and `at`')
}
