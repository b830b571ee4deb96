import { AttuneError, describeIssues } from '@attune/core'
import { z } from 'zod'

/** Options common to word2vec and GloVe. */
export const sharedOptions = {
  size: z.int().min(1).max(10_000).default(100).describe('Dimension of the vectors'),
  epochs: z.int().min(1).max(10_000).default(5).describe('Passes over the corpus'),
  minimumCount: z.int().min(1).default(5).describe('Minimum count of a word; rarer words get no vector'),
  maximumVocabulary: z
    .int()
    .min(1)
    .max(4_000_000)
    .default(1_000_000)
    .describe('Maximum vocabulary size; the rarest words are dropped'),
  seed: z.int().min(0).default(0).describe('Random seed'),
}

/** Validates options and fills in the defaults. @throws AttuneError `BAD_OPTIONS` with all errors at once */
export function checkOptions<S extends z.ZodObject>(caller: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  throw new AttuneError(
    'BAD_OPTIONS',
    `${caller}: ${describeIssues(schema, parsed.error, options).join('; ')}`,
    `See the option types of ${caller} for the options, their ranges and defaults.`,
  )
}

/** @throws AttuneError `BAD_OPTIONS` if the vectors do not fit into one array */
export function requireFits(caller: string, words: number, size: number): void {
  if (words * size <= 2 ** 31) return
  throw new AttuneError(
    'BAD_OPTIONS',
    `${caller}: expected at most 2³¹ values (words times \`size\`), got ${words} times ${size}`,
    'Raise `minimumCount`, or lower `maximumVocabulary` or `size`.',
  )
}

/** @throws AttuneError `NON_FINITE_LOSS` */
export function requireFinite(caller: string, epoch: number, loss: number): void {
  if (Number.isFinite(loss)) return
  throw new AttuneError(
    'NON_FINITE_LOSS',
    `${caller}: expected a finite loss, got ${loss} in epoch ${epoch}`,
    'Lower `learningRate` and start again.',
  )
}
