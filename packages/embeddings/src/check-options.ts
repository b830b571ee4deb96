import { AttuneError, describeIssues } from '@attune/core'
import { z } from 'zod'

/** What both ways of training are told. */
export const sharedOptions = {
  size: z.int().min(1).max(10_000).default(100).describe('Numbers of a vector'),
  epochs: z.int().min(1).max(10_000).default(5).describe('Passes over the corpus'),
  minimumCount: z.int().min(1).default(5).describe('Words that occur less often get no vector'),
  maximumVocabulary: z
    .int()
    .min(1)
    .max(4_000_000)
    .default(1_000_000)
    .describe('The most words that get a vector; the rarest are left out'),
  seed: z.int().min(0).default(0).describe('Seed of all that is drawn'),
}

/** Checks options and fills in the defaults. @throws AttuneError `BAD_OPTIONS` with all that is wrong at once */
export function checkOptions<S extends z.ZodObject>(caller: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  throw new AttuneError(
    'BAD_OPTIONS',
    `${caller}: ${describeIssues(schema, parsed.error, options).join('; ')}`,
    `The types of ${caller} list its options, their ranges and defaults.`,
  )
}

/** @throws AttuneError `BAD_OPTIONS` if the vectors of so many words do not fit into one array */
export function requireRoom(caller: string, words: number, size: number): void {
  if (words * size <= 2 ** 31) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `${caller}: words times \`size\` must be at most 2³¹, got ${words} times ${size}`,
    'Raise `minimumCount`, or lower `maximumVocabulary` or `size`.',
  )
}

/** @throws AttuneError `NON_FINITE_LOSS` */
export function requireFinite(caller: string, epoch: number, loss: number): void {
  if (Number.isFinite(loss)) return
  throw new AttuneError(
    'NON_FINITE_LOSS',
    `${caller}: the loss must be finite, and in epoch ${epoch} it is ${loss}`,
    'Lower `learningRate` and start again.',
  )
}
