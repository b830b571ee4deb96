import { isRecord } from '@attune/core'
import { z } from 'zod'

/**
 * Schema of a record whose keys are names that the user chooses. The key `__proto__`, which `z.record` drops without an error, is rejected.
 */
export function recordOf<V extends z.ZodType>(key: z.ZodString, value: V) {
  const record = z.record(key, value)
  // A check in front of the record has no JSON Schema of its own.
  const { $schema: _, ...described } = z.toJSONSchema(record, { io: 'input', unrepresentable: 'any' })
  return z
    .custom<Readonly<Record<string, z.input<V>>>>((given) => !isRecord(given) || !Object.hasOwn(given, '__proto__'), {
      message: 'unknown `__proto__`',
    })
    .meta(described as Record<string, unknown>)
    .pipe(record as unknown as z.ZodType<Record<string, z.output<V>>, Readonly<Record<string, z.input<V>>>>)
}
