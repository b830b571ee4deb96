import type { RunEvent } from './events.js'
import { isRecord, parseJson } from './json.js'

/** JSON has no NaN and no infinities: each is written as a record of this one field, which no event has by itself. */
const FIELD = 'number'

/** One event as a line of JSON. {@link parseEvent} gives back the same values, NaN and infinities included. */
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

/** Reads an event that {@link stringifyEvent} wrote. @throws SyntaxError if the line is not an event */
export function parseEvent(line: string): RunEvent {
  const event = revived(parseJson(line))
  if (isRecord(event) && typeof event['type'] === 'string' && typeof event['at'] === 'number')
    return event as unknown as RunEvent
  throw new SyntaxError('a line of the log must be an event with a type and a time')
}
