import { isRecord } from '@attune/core'
import { z } from 'zod'

/**
 * Schema of a record whose keys are names that the user chooses. The key `__proto__`, which `z.record` drops without an error, is rejected.
 */
export const recordOf = <V extends z.ZodType>(key: z.ZodString, value: V) =>
  z
    .custom<Readonly<Record<string, z.input<V>>>>((given) => !isRecord(given) || !Object.hasOwn(given, '__proto__'), {
      message: 'unknown `__proto__`',
    })
    .pipe(
      z.record(key, value) as unknown as z.ZodType<Record<string, z.output<V>>, Readonly<Record<string, z.input<V>>>>,
    )
