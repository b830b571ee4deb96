import { isRecord } from '@attune/core'
import { z } from 'zod'

// Zod lists every issue of an array or a record; for 300,000 wrong entries that takes seconds and gigabytes. These schemas stop
// at the first issue.

/** Returns the problem with an entry; `undefined` if there is none. */
type ProblemOf = (value: unknown, key: string) => string | undefined

/** Schema of an array whose values pass a check. The array is not copied. */
export const arrayOf = <T>(problemOf: (value: unknown) => string | undefined, maximum: number, minimum = 0) =>
  z
    .custom<readonly T[]>((value) => Array.isArray(value), { message: 'expected an array' })
    .superRefine((values, context) => {
      const isLong = values.length > maximum || values.length < minimum
      const index = isLong ? -1 : values.findIndex((value) => problemOf(value) !== undefined)
      if (isLong) context.addIssue(`expected ${minimum} to ${maximum} elements, got ${values.length}`)
      else if (index >= 0) context.addIssue({ code: 'custom', path: [index], message: problemOf(values[index])! })
    })

/** Schema of an object whose entries pass a check. The object is not copied. */
export const recordOf = <T>(problemOf: ProblemOf, maximum = Infinity) =>
  z.custom<Readonly<Record<string, T>>>(isRecord, { message: 'expected an object' }).superRefine((record, context) => {
    const keys = Object.keys(record)
    const key = keys.find((each) => problemOf(record[each], each) !== undefined)
    if (keys.length > maximum) context.addIssue(`expected at most ${maximum} entries, got ${keys.length}`)
    else if (key !== undefined) context.addIssue({ code: 'custom', path: [key], message: problemOf(record[key], key)! })
  })

/** Schema of an array whose elements match a schema. */
export const listOf = <S extends z.ZodType>(element: S, maximum: number) =>
  arrayOf<unknown>(() => undefined, maximum).transform((values, context): z.output<S>[] => {
    const parsed: z.output<S>[] = []
    for (const [index, value] of values.entries()) {
      const found = element.safeParse(value)
      const [issue] = found.error?.issues ?? []
      if (issue !== undefined) {
        context.addIssue({ code: 'custom', path: [index, ...issue.path], message: issue.message })
        return z.NEVER
      }
      parsed.push(found.data!)
    }
    return parsed
  })

const isSequence = (value: unknown): boolean => isRecord(value) && value['type'] === 'Sequence'

/** Schema of one step, or of a sequence of at most `maximum` steps under its own key. */
export const stepsOf = <S extends z.ZodType>(key: string, step: S, maximum: number) => {
  const sequence = z.object({ type: z.literal('Sequence'), [key]: listOf(step, maximum) })
  return z.unknown().transform((value, context): z.output<typeof sequence> | z.output<S> => {
    const { data, error } = (isSequence(value) ? sequence : step).safeParse(value)
    // For a union, zod would only report that no member matches.
    for (const { path, message } of error?.issues.slice(0, 1) ?? []) context.addIssue({ code: 'custom', path, message })
    return error === undefined ? (data as z.output<S>) : z.NEVER
  })
}

/** Check for strings of at most `maximum` units. */
export const longText =
  (maximum: number) =>
  (value: unknown): string | undefined =>
    typeof value === 'string' && value.length <= maximum
      ? undefined
      : `expected a text of at most ${maximum} characters`

/** Maximum size of a {@link small} value in JSON characters. */
const SMALL = 10_000

/** True if a value has at most 10,000 characters as JSON. Stops reading at that size. */
export function isSmall(value: unknown): boolean {
  let size = 0
  const waiting: unknown[] = [value]
  while (waiting.length > 0 && size <= SMALL) {
    const each = waiting.pop()
    size += typeof each === 'string' ? each.length + 2 : 2
    if (typeof each !== 'object' || each === null) continue
    const keys = Array.isArray(each) ? [] : Object.keys(each)
    const values: readonly unknown[] = Array.isArray(each) ? each : Object.values(each)
    size += keys.reduce((sum, key) => sum + key.length + 2, 2 * values.length)
    if (size <= SMALL) waiting.push(...values)
  }
  return size <= SMALL
}

/** Schema of any small value, for fields that are not used. */
export const small = z
  .unknown()
  .refine(isSmall, { message: `it has more than ${SMALL} characters` })
  .optional()
