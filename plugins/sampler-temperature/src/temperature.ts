import { SAMPLER, type Sampler, definePlugin } from '@attune/core'
import { endlessly, indicesByGroup } from '@attune/data'
import { z } from 'zod'

/** Index of the interval of cumulative shares that a number in [0, 1) falls into. */
const intervalOf = (ends: readonly number[], at: number): number => {
  const found = ends.findIndex((end) => at < end)
  return found === -1 ? ends.length - 1 : found
}

/**
 * Temperature sampling: an epoch has as many examples as there are, but those of a group (a task, a language, a class) occur in proportion
 * to its size to the power of 1 / temperature.
 *
 *     p_k = n_k^(1/T) / Σ_j n_j^(1/T)
 *
 * T = 1 is proportional to the sizes; a higher temperature takes small groups more often, and as T grows all groups equally often. The
 * examples of a group come in random order, each once before any again.
 */
export const temperature = definePlugin({
  kind: SAMPLER,
  name: 'temperature',
  summary: 'Temperature sampling of tasks, languages or classes of different sizes',
  source:
    'Arivazhagan et al., Massively Multilingual Neural Machine Translation in the Wild, 2019, section 4; Raffel et al., T5, 2020, section 3.5.2',
  exceptions: { complete: 'small groups occur more often than in the data, and large ones less often' },
  options: z.strictObject({
    by: z.string().min(1).default('task').describe('Field that holds the group of an example'),
    temperature: z
      .number()
      .min(1)
      .max(1000)
      .default(2)
      .describe('Temperature T: 1 for the proportions of the data; the higher, the more equal the groups'),
  }),
  create: ({ by, temperature: t }): Sampler => ({
    by,
    *order(_epoch, data, random) {
      const groups = [...indicesByGroup(data).values()]
      const sizes = groups.map(({ length }) => length ** (1 / t))
      const total = sizes.reduce((sum, size) => sum + size, 0)
      let sum = 0
      const ends = sizes.map((size) => (sum += size) / total)
      const sources = groups.map((indices) => endlessly(indices, random))
      for (let drawn = 0; drawn < data.count; drawn++) yield sources[intervalOf(ends, random())]!.next().value
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'sampler temperature': typeof temperature
  }
}

export default temperature
