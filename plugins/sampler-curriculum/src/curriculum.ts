import { SAMPLER, type SampledData, type Sampler, definePlugin, shuffled } from '@attune/core'
import { z } from 'zod'

/** Difficulty of an example: a number in the field, or the length. NaN for a field that holds none, which counts as hardest. */
function difficultyOf({ group, length }: SampledData, by: string | undefined, index: number): number {
  if (by === undefined) return length(index)
  const value = group(index)
  const number = value.trim() === '' ? Number.NaN : Number(value)
  return Number.isNaN(number) ? Number.POSITIVE_INFINITY : number
}

/** Fraction of the examples, the easiest ones, that an epoch trains on. */
const competenceAt = (epoch: number, { start, epochs }: { readonly start: number; readonly epochs: number }): number =>
  Math.min(1, Math.sqrt(((1 - start ** 2) * epoch) / epochs + start ** 2))

/**
 * Curriculum learning by competence: epoch e, from 0, trains on the easiest fraction of the examples, in random order,
 *
 *     c(e) = min(1, √(e · (1 − c₀²) / E + c₀²)),
 *
 * and from epoch E on all of them. Every epoch has as many examples as the data: while fewer are admitted, they repeat. The paper raises
 * the competence with each step; here it is constant within an epoch, since the order of an epoch is that of its stage of training.
 */
export const curriculum = definePlugin({
  kind: SAMPLER,
  name: 'curriculum',
  summary: 'Curriculum learning: easy examples first, then all',
  source: 'Platanios et al., Competence-based Curriculum Learning for Neural Machine Translation, 2019, equation 7',
  exceptions: { complete: 'hard examples are left out of the first epochs' },
  options: z.strictObject({
    by: z
      .string()
      .min(1)
      .optional()
      .describe('Field that holds the difficulty, a number. Default: the length of the texts'),
    start: z
      .number()
      .gt(0)
      .max(1)
      .default(0.3)
      .describe('Initial competence c₀: fraction of the examples in the first epoch'),
    epochs: z.int().min(1).max(100_000).default(3).describe('Number of epochs E after which all examples train'),
  }),
  create: ({ by, start, epochs }): Sampler => ({
    ...(by === undefined ? {} : { by }),
    *order(epoch, data, random) {
      const difficulties = Array.from({ length: data.count }, (_, index) => difficultyOf(data, by, index))
      const easiest = [...difficulties.keys()].sort((a, b) => compare(difficulties[a]!, difficulties[b]!))
      const admitted = easiest.slice(0, Math.max(1, Math.ceil(competenceAt(epoch, { start, epochs }) * data.count)))
      for (let left = data.count; left > 0; left -= admitted.length) yield* shuffled(admitted, random).slice(0, left)
    },
  }),
})

/** Order of numbers, infinite ones included. */
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)
declare module '@attune/core' {
  interface NamedPlugins {
    'sampler curriculum': typeof curriculum
  }
}

export default curriculum
