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
 * Returns the labels of a classification objective; throws if they are unknown, or fewer than `minimum`.
 * @throws AttuneError `NO_LABELS`
 */
export function requireLabels(
  objective: string,
  labels: readonly string[] | undefined,
  minimum = 1,
): readonly string[] {
  if (labels !== undefined && labels.length >= minimum) return labels
  if (labels !== undefined)
    throw new AttuneError(
      'NO_LABELS',
      `objective ${objective}: expected at least ${minimum} labels, got ${listed(labels, ', ')}`,
      'List all labels in the objective: `labels: [...]`.',
    )
  throw new AttuneError(
    'NO_LABELS',
    `objective ${objective}: expected labels, got none`,
    "Set `labels: [...]`, or call the plugin's `fit` to learn them from the training examples.",
  )
}

const emptyLabel = (example: Example): AttuneError =>
  new AttuneError(
    'MISSING_FIELD',
    `expected a label in every training example, got an empty one in ${excerpt(example, 120)}`,
    'Fill in the label, or remove the row. If the empty text is a class, list it: `labels: ["", ...]` in the objective.',
  )

/** Most classes that decimal numbers may name, such as versions or half stars. */
const MOST_DECIMALS = 20

const isDecimal = (label: string): boolean => /^-?\d*\.\d/.test(label)

/** True for many numbers, some of them with decimals: the targets of a regression. */
const areTargets = (labels: readonly string[], decimal: Example | undefined): boolean =>
  decimal !== undefined && labels.length > MOST_DECIMALS && labels.every((label) => Number.isFinite(Number(label)))

const notLabels = (labels: readonly string[], example: Example | undefined): AttuneError =>
  new AttuneError(
    'NO_LABELS',
    `expected the labels of classes, got ${labels.length} distinct numbers (${listed(labels.slice(0, 3), ', ')}, …), as in a regression`,
    'Use `objective: { use: regression, number: FIELD }`, map the numbers to classes in the data, or list the classes: `labels: [...]`.',
    { cause: example },
  )

/**
 * Returns the distinct labels of the training examples, sorted.
 * @throws AttuneError `MISSING_FIELD` for an empty label; `NO_LABELS` for the numbers of a regression, whose `cause` is the first example
 *   with a decimal number
 */
export async function learnLabels(
  examples: AsyncIterable<Example>,
  labelsOf: (example: Example) => Iterable<string>,
): Promise<string[]> {
  const seen = new Set<string>()
  let decimal: Example | undefined
  for await (const example of examples)
    for (const label of labelsOf(example)) {
      if (label.trim() === '') throw emptyLabel(example)
      if (isDecimal(label)) decimal ??= example
      seen.add(label)
    }
  if (areTargets([...seen], decimal)) throw notLabels([...seen], decimal)
  return [...seen].sort()
}

/**
 * The `fit` of a classification objective: its options with the labels of the training examples, unless they list them.
 * @throws AttuneError as {@link learnLabels}
 */
export const withLabels = async <O extends { readonly labels?: string[] | undefined }>(
  o: O,
  examples: () => AsyncIterable<Example>,
  labelsOf: (example: Example) => Iterable<string>,
): Promise<O> => (o.labels === undefined ? { ...o, labels: await learnLabels(examples(), labelsOf) } : o)

/** Scores by label name. */
export const scoresByLabel = (labels: readonly string[], scores: readonly number[]): Record<string, number> =>
  Object.fromEntries(labels.map((label, i) => [label, scores[i]!]))

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
