/** Maximum number of errors in a chain of causes; further ones are removed. */
const MAXIMUM_CAUSES = 32

/** Replaces each string in a value. Plain objects and arrays are copied. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapStrings(each, change)]))
}

/**
 * Changes each string of an error in place: its message, stack and other fields, and those of its causes. Object
 * fields are removed, because libraries store raw responses in them.
 * @returns the error itself; a thrown string is returned changed
 */
export function mapErrorTexts(error: unknown, change: (text: string) => string): unknown {
  if (typeof error !== 'object' || error === null) return mapStrings(error, change)
  const errors = new Set<object>([error])
  const keep = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return mapStrings(value, change)
    if (!errors.has(value) && errors.size >= MAXIMUM_CAUSES) return undefined
    errors.add(value)
    return value
  }
  for (const each of errors)
    for (const key of new Set(['message', 'stack', ...Object.getOwnPropertyNames(each)])) {
      const value: unknown = Reflect.get(each, key)
      const kept = ['cause', 'errors'].includes(key)
        ? Array.isArray(value)
          ? value.map(keep)
          : keep(value)
        : typeof value === 'object' && value !== null
          ? undefined
          : mapStrings(value, change)
      if (kept !== value) Reflect.defineProperty(each, key, { value: kept, configurable: true, writable: true })
    }
  return error
}
