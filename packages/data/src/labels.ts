import { AttuneError, type Example, excerpt, nearest, shortened } from '@attune/core'
import { z } from 'zod'

/** The option of a classification that says which labels there are. */
export const labelNames = z
  .array(z.string())
  .min(1)
  .max(100_000)
  .refine((labels) => new Set(labels).size === labels.length, { message: 'each label must stand once' })
  .optional()
  .describe('All label names; learned from the training examples when absent')

/**
 * The labels of a classification, which must be known.
 * @throws AttuneError `NO_LABELS`
 */
export function requireLabels(objective: string, labels: readonly string[] | undefined): readonly string[] {
  if (labels !== undefined) return labels
  throw new AttuneError(
    'NO_LABELS',
    `objective ${objective}: no labels are known`,
    "Give `labels: [...]`, or let the plugin's `fit` learn them from the training examples.",
  )
}

/** Distinct labels of the training examples, in sorted order. */
export async function learnLabels(
  examples: AsyncIterable<Example>,
  labelsOf: (example: Example) => Iterable<string>,
): Promise<string[]> {
  const seen = new Set<string>()
  for await (const example of examples) for (const label of labelsOf(example)) seen.add(label)
  return [...seen].sort()
}

/** Labels out of data, short enough for a message. */
const listed = (labels: readonly string[], between: string): string =>
  labels.map((label) => shortened(label, 40)).join(between)

/**
 * The number of each label: its place in the list.
 * @throws AttuneError (from the function) `UNKNOWN_LABEL`, with the nearest ones
 */
export function labelNumbers(labels: readonly string[]): (label: string) => number {
  const numbers = new Map(labels.map((label, i) => [label, i]))
  return (label) => {
    const number = numbers.get(label)
    if (number !== undefined) return number
    const near = nearest(label, labels)
    throw new AttuneError(
      'UNKNOWN_LABEL',
      `label ${excerpt(label, 100)} was not seen in training, where there were ${labels.length}: ${listed(labels.slice(0, 20), ', ')}`,
      near.length > 0
        ? `Did you mean ${listed(near, ' or ')}? Correct the row, or train with it.`
        : 'Remove the row, or train with examples of this label.',
    )
  }
}

/** The labels as `config.json` holds them. */
export const labelConfig = (labels: readonly string[]) => ({
  id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
  label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
})
