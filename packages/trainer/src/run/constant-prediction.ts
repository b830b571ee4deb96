import type { Metric } from '@attune/core'

/** The most frequent of some values, compared by content; the first one of several. */
function mostFrequent(values: readonly unknown[]): unknown {
  const counts = new Map<string, { readonly value: unknown; count: number }>()
  for (const value of values) {
    const key = JSON.stringify(value)
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { value, count: 1 })
    else known.count++
  }
  return [...counts.values()].reduce((best, each) => (each.count > best.count ? each : best)).value
}

/** View of labels by token, for which a constant is one label at each position. */
const isByToken = (view: string): boolean => view.split('.').at(-1) === 'tokens'

/**
 * The prediction that does not read the text: the mean of numbers, otherwise the most frequent reference; for labels of tokens, the most
 * frequent label at each position.
 * @param view the view of the references
 * @param references those of training examples, at least one
 * @returns the prediction for an example with a reference
 */
export function constantPrediction(view: string, references: readonly unknown[]): (reference: unknown) => unknown {
  if (references.every((each) => typeof each === 'number')) {
    const mean = references.reduce((sum, each) => sum + each, 0) / references.length
    return () => mean
  }
  const value = mostFrequent(isByToken(view) ? references.flat() : references)
  return isByToken(view) ? (reference) => (reference as readonly unknown[]).map(() => value) : () => value
}

/** Score of a model on a task, next to that of a constant prediction. */
export interface TaskSkill {
  /** Name of the score, that of the task's first metric. */
  readonly score: string
  /** Score of the mean or most frequent training reference as prediction of every example. */
  readonly constant: number
  readonly trained: number
  /**
   * Skill score, `(trained − constant) / (perfect − constant)`: 0 for a constant prediction, 1 for a perfect one. Undefined where a perfect score is not
   * finite, or the constant prediction is perfect.
   */
  readonly skill: number | undefined
}

/** Compares the score of a model with that of a constant prediction. Source: Murphy, Skill Scores Based on the Mean Square Error, 1988. */
export function skillOf(
  { name, direction, range }: Pick<Metric, 'name' | 'direction' | 'range'>,
  { constant, trained }: Pick<TaskSkill, 'constant' | 'trained'>,
): TaskSkill {
  const perfect = direction === 'maximize' ? range[1] : range[0]
  const skill = (trained - constant) / (perfect - constant)
  return { score: name, constant, trained, skill: Number.isFinite(perfect) && perfect !== constant ? skill : undefined }
}
