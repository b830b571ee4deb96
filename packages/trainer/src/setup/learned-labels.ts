import type { Learned } from '../files/run-folder.js'
import { describeModel } from '../files/model-folder.js'
import type { Plan } from '../plan/plan.js'
import { inSavedOrder, inSavedRanks, orderedLabels, savedLabels } from './saved-labels.js'

/** The labels in options of an objective, if there are any. */
function labelsIn(options: unknown): readonly string[] | undefined {
  const labels = (options as { readonly labels?: unknown } | undefined)?.labels
  return Array.isArray(labels) && labels.every((label) => typeof label === 'string') ? labels : undefined
}

/** True if a configuration lists the labels of its objective. */
export const areLabelsGiven = ({ config }: Plan): boolean => labelsIn(config.objective.options) !== undefined

/**
 * Orders the labels that the objective learned from the training examples as in the saved model that the run starts from, so that class
 * ids keep their meaning.
 * @throws AttuneError `BAD_MODEL_FOLDER` if the saved model contradicts itself
 */
export function withSavedLabels(plan: Plan, learned: Learned['options']): Learned['options'] {
  const labels = labelsIn(learned.objective)
  if (plan.from === undefined || labels === undefined || areLabelsGiven(plan)) return learned
  const { config } = describeModel(plan.from.path)
  const ordered = orderedLabels(config)
  const inOrder =
    ordered === undefined ? inSavedOrder(labels, savedLabels(config, plan.from.path)) : inSavedRanks(labels, ordered)
  return { ...learned, objective: { ...(learned.objective as object), labels: inOrder } }
}
