import { AttuneError, type Example, excerpt, nearest, shortened } from '@attune/core'
import { z } from 'zod'

/**
 * Schema of the `labels` option of classification objectives: distinct label names, in the order of their class ids.
 *
 * @example
 * ```ts
 * import { labelNames } from '@attune/data'
 * console.log(labelNames.parse(['negative', 'positive'])) // [ 'negative', 'positive' ]
 * console.log(labelNames.safeParse(['same', 'same']).success) // false
 * ```
 */
export const labelNames = z
  .array(z.string())
  .min(1)
  .max(100_000)
  .refine((labels) => new Set(labels).size === labels.length, { message: 'expected distinct labels' })
  .optional()
  .describe('Label names, in the order of the class ids; default: learned from the training examples')

/**
 * Returns the labels of a classification objective; throws if they are unknown.
 * @throws AttuneError `NO_LABELS`
 */
export function requireLabels(objective: string, labels: readonly string[] | undefined): readonly string[] {
  if (labels !== undefined) return labels
  throw new AttuneError(
    'NO_LABELS',
    `objective ${objective}: expected labels, got none`,
    "Set `labels: [...]`, or call the plugin's `fit` to learn them from the training examples.",
  )
}

/** Returns the distinct labels of the training examples, sorted. */
export async function learnLabels(
  examples: AsyncIterable<Example>,
  labelsOf: (example: Example) => Iterable<string>,
): Promise<string[]> {
  const seen = new Set<string>()
  for await (const example of examples) for (const label of labelsOf(example)) seen.add(label)
  return [...seen].sort()
}

/** Joins labels from the data, truncated for a message. */
const listed = (labels: readonly string[], between: string): string =>
  labels.map((label) => shortened(label, 40)).join(between)

/**
 * Returns a function from labels to class ids: their indices in the list.
 * @throws AttuneError (from the function) `UNKNOWN_LABEL`, with the nearest labels
 */
export function labelNumbers(labels: readonly string[]): (label: string) => number {
  const numbers = new Map(labels.map((label, i) => [label, i]))
  return (label) => {
    const number = numbers.get(label)
    if (number !== undefined) return number
    const near = nearest(label, labels)
    throw new AttuneError(
      'UNKNOWN_LABEL',
      `expected one of ${labels.length} labels (${listed(labels.slice(0, 20), ', ')}), got ${excerpt(label, 100)}`,
      near.length > 0
        ? `Did you mean ${listed(near, ' or ')}? Correct the row, or train with it.`
        : 'Remove the row, or train with examples of this label.',
    )
  }
}

/** Returns the label maps of `config.json`. */
export const labelConfig = (labels: readonly string[]) => ({
  id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
  label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
})
