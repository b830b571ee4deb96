import { isRecord } from '@attune/core'
import { z } from 'zod'

// Zod lists every issue of an array or a record; for 300,000 wrong entries that takes seconds and gigabytes. These stop at
// the first one.

/** Says what is wrong with an entry; `undefined` if nothing is. */
type ProblemOf = (value: unknown, key: string) => string | undefined

/** An array of values that pass a check. It is taken as it is. */
export const arrayOf = <T>(problemOf: (value: unknown) => string | undefined, most: number, least = 0) =>
  z
    .custom<readonly T[]>((value) => Array.isArray(value), { message: 'expected an array' })
    .superRefine((values, context) => {
      const isLong = values.length > most || values.length < least
      const index = isLong ? -1 : values.findIndex((value) => problemOf(value) !== undefined)
      if (isLong) context.addIssue(`expected ${least} to ${most} elements, got ${values.length}`)
      else if (index >= 0) context.addIssue({ code: 'custom', path: [index], message: problemOf(values[index])! })
    })

/** An object whose entries pass a check. It is taken as it is. */
export const recordOf = <T>(problemOf: ProblemOf, most = Infinity) =>
  z.custom<Readonly<Record<string, T>>>(isRecord, { message: 'expected an object' }).superRefine((record, context) => {
    const keys = Object.keys(record)
    const key = keys.find((each) => problemOf(record[each], each) !== undefined)
    if (keys.length > most) context.addIssue(`expected at most ${most} entries, got ${keys.length}`)
    else if (key !== undefined) context.addIssue({ code: 'custom', path: [key], message: problemOf(record[key], key)! })
  })

/** An array whose elements each have a schema. */
export const listOf = <S extends z.ZodType>(element: S, most: number) =>
  arrayOf<unknown>(() => undefined, most).transform((values, context): z.output<S>[] => {
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

/** One step, or a sequence of so many at most under a key of its own. */
export const stepsOf = <S extends z.ZodType>(key: string, step: S, most: number) => {
  const sequence = z.object({ type: z.literal('Sequence'), [key]: listOf(step, most) })
  return z.unknown().transform((value, context): z.output<typeof sequence> | z.output<S> => {
    const { data, error } = (isSequence(value) ? sequence : step).safeParse(value)
    // Of a union zod would only say that neither of its members fits.
    for (const { path, message } of error?.issues.slice(0, 1) ?? []) context.addIssue({ code: 'custom', path, message })
    return error === undefined ? (data as z.output<S>) : z.NEVER
  })
}

/** The problem of a text of more than so many units, or of what is not a text. */
export const longText =
  (most: number) =>
  (value: unknown): string | undefined =>
    typeof value === 'string' && value.length <= most ? undefined : `expected a text of at most ${most} characters`

/** Characters of JSON that {@link small} allows. */
const SMALL = 10_000

/** True if a value has at most 10,000 characters as JSON. It is read no further than that. */
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

/** Any value that is small: what a file may say and nobody reads. */
export const small = z
  .unknown()
  .refine(isSmall, { message: `it has more than ${SMALL} characters` })
  .optional()
