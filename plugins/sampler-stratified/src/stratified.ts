import { AttuneError, SAMPLER, type Sampler, definePlugin } from '@attune/core'
import { endlessly, indicesByGroup } from '@attune/data'
import { z } from 'zod'

const badArgument = (expected: string, remedy: string): AttuneError =>
  new AttuneError('BAD_ARGUMENT', `sampler stratified: expected ${expected}`, remedy)

/** Number of examples of each group in a batch, by default as equal as possible. @throws AttuneError `BAD_ARGUMENT` */
function quotasOf(
  names: readonly string[],
  batchSize: number,
  rows: Readonly<Record<string, number>> | undefined,
): readonly number[] {
  if (rows === undefined) {
    if (batchSize < names.length)
      throw badArgument(
        `a batch size of at least the ${names.length} groups, got ${batchSize}`,
        `Set training.batchSize to at least ${names.length}.`,
      )
    const at = (i: number): number => Math.floor((i * batchSize) / names.length)
    return names.map((_, i) => at(i + 1) - at(i))
  }
  const other = [...names, ...Object.keys(rows)].find((name) => !(names.includes(name) && Object.hasOwn(rows, name)))
  if (other !== undefined)
    throw badArgument(
      `\`rows\` for each group of the data, ${names.join(', ')}, got ${Object.keys(rows).join(', ')}`,
      names.includes(other) ? `Add "${other}" to \`rows\`.` : `Remove "${other}" from \`rows\`.`,
    )
  const sum = Object.values(rows).reduce((a, b) => a + b, 0)
  if (sum !== batchSize)
    throw badArgument(
      `\`rows\` that add up to the batch size, ${batchSize}, got ${sum}`,
      `Set training.batchSize: ${sum}.`,
    )
  return names.map((name) => rows[name]!)
}

/**
 * Stratified batches: every batch has a fixed number of examples of each group (a task, a class, a language), as many as possible of each by
 * default. So every batch compares the groups, and batches have few shapes.
 *
 * An epoch has ⌈examples / batch size⌉ batches, all of them full. The examples of a group come in random order, each once before any again:
 * those of a small group are repeated, and those of a large one are not all in one epoch. Near neighbour: temperature draws the groups at
 * random, and batches of a multi-task objective then hold one task each.
 */
export const stratified = definePlugin({
  kind: SAMPLER,
  name: 'stratified',
  summary: 'Batches with a fixed number of examples of each task or class',
  source: 'Aghajanyan et al., Muppet: Massive Multi-task Representations with Pre-Finetuning, 2021, section 3.2',
  exceptions: { complete: 'every batch is full, and small groups occur more often than in the data' },
  options: z.strictObject({
    by: z.string().min(1).default('task').describe('Field that holds the group of an example'),
    rows: z
      .record(z.string(), z.int().min(1))
      .optional()
      .describe('Number of examples of each group in a batch: `{ topic: 12, tone: 4 }`. Default: equal numbers'),
  }),
  create: ({ by, rows }): Sampler => ({
    by,
    batches: 'mixed',
    *order(_epoch, data, random) {
      const groups = [...indicesByGroup(data)].sort(([a], [b]) => (a < b ? -1 : 1))
      const { batchSize } = data
      const quotas = quotasOf(
        groups.map(([name]) => name),
        batchSize,
        rows,
      )
      const sources = groups.map(([, indices]) => endlessly(indices, random))
      for (let start = 0; start < data.count; start += batchSize)
        for (const [i, quota] of quotas.entries())
          for (let taken = 0; taken < quota; taken++) yield sources[i]!.next().value
    },
  }),
})
declare module '@attune/core' {
  interface NamedPlugins {
    'sampler stratified': typeof stratified
  }
}

export default stratified
