import { AttuneError, type Example, type Key, type Model, type Objective, type Params } from '@attune/core'
import { textOrName } from '@attune/data'
import {
  type ChosenObjective,
  type ObjectiveNeeds,
  type TaskObjective,
  createNested,
  filledWith,
  initialDifferences,
} from '@attune/nn'

/** Creates an error of the objective. @param expected what was expected, and what was given */
export const mismatch = (expected: string, remedy: string): AttuneError =>
  new AttuneError('TASK_MISMATCH', `objective multi-task: expected ${expected}`, remedy)

/** True if a parameter is shared by the tasks; those of one task have its prefix. */
export const isShared = (parameter: string): boolean => !parameter.startsWith('task.')

/** Name of a task's learned weight, a scalar: the logarithm of its variance, or its weight of GradNorm before the normalization. */
export const weightOf = (weighting: 'uncertainty' | 'gradnorm', name: string): string =>
  `task.${name}.${weighting === 'uncertainty' ? 'log_variance' : 'gradnorm_weight'}`

/** The tasks. @throws AttuneError `TASK_MISMATCH` if there are none, or one does more than a forward pass and a loss */
export function tasksOf(tasks: Readonly<Record<string, unknown>>, given: ObjectiveNeeds): readonly TaskObjective[] {
  const all = Object.entries(tasks).map(([name, chosen]): TaskObjective => {
    const objective: Objective = createNested(chosen as ChosenObjective, given)
    if (objective.trainingLoss ?? objective.rollout ?? objective.beforeEpoch)
      throw mismatch(
        `tasks with an ordinary loss, got "${name}" with a training of its own`,
        'Train it in a run alone.',
      )
    return { name, prefix: `task.${name}.`, objective }
  })
  if (all.length > 0) return all
  throw mismatch('at least one task under `tasks`, got none', 'Name an objective for each value of the field `by`.')
}

/** The task that a row names. @throws AttuneError `MISSING_FIELD`, `TASK_MISMATCH` */
export function inTask(tasks: readonly TaskObjective[], example: Example, by: string): TaskObjective {
  const name = textOrName(example, by, 'by')
  const task = tasks.find((each) => each.name === name)
  if (task !== undefined) return task
  throw mismatch(
    `one of the tasks ${tasks.map((each) => each.name).join(', ')} in field "${by}", got "${name}"`,
    'Correct or remove the row, or add the task to the option `tasks`.',
  )
}

/** Initial parameters of a task: those of its head, of its own layers, and of its learned weight. */
export function initialOf(
  { weighting, sharing }: { readonly weighting: 'fixed' | 'uncertainty' | 'gradnorm'; readonly sharing: string },
  { name, prefix, objective }: TaskObjective,
  model: Model,
  key: Key,
): Params {
  const own = { ...objective.init(key), ...(sharing === 'soft' && initialDifferences(model, key)) }
  return {
    ...Object.fromEntries(Object.entries(own).map(([parameter, tensor]) => [prefix + parameter, tensor])),
    ...(weighting !== 'fixed' && { [weightOf(weighting, name)]: filledWith([], weighting === 'gradnorm' ? 1 : 0) }),
  }
}
