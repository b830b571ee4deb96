import {
  AttuneError,
  type Batch,
  type Example,
  type Objective,
  type OnDevice,
  type Params,
  type Views,
} from '@attune/core'
import { textOrName } from '@attune/data'

/** A task: its objective, and the prefix of the names of its parameters and arrays. */
export interface Task {
  readonly name: string
  readonly prefix: string
  readonly objective: Objective
}

/** Name of the learned logarithm of a task's variance, a scalar. */
export const logVarianceOf = (name: string): string => `task.${name}.log_variance`

/** The task of a name. */
export function taskOf(tasks: readonly Task[], name: string | undefined): Task {
  const task = tasks.find((each) => each.name === name)
  if (task === undefined) throw new Error(`objective multi-task: an item of no task, ${String(name)}`) // encoded elsewhere
  return task
}

/** The task that a row names. @throws AttuneError `MISSING_FIELD`, `TASK_MISMATCH` */
export function inTask(tasks: readonly Task[], example: Example, by: string): Task {
  const name = textOrName(example, by, 'by')
  const task = tasks.find((each) => each.name === name)
  if (task !== undefined) return task
  throw new AttuneError(
    'TASK_MISMATCH',
    `objective multi-task: expected one of the tasks ${tasks.map((each) => each.name).join(', ')} in field "${by}", got "${name}"`,
    'Correct or remove the row, or add the task to the option `tasks`.',
  )
}

/** The task of a batch. */
export const batchOf = (tasks: readonly Task[], batch: object): Task => tasks.find(({ prefix }) => prefix in batch)!

/** A batch as the objective of its task collated it. */
export const ownBatch = ({ prefix }: Task, batch: OnDevice<Batch>): OnDevice<Batch> =>
  ({ inputs: batch.inputs, ...(batch[prefix] as object) }) as OnDevice<Batch>

/** Parameters with those of the task under the names that its objective gave them. */
export const ownParams = ({ prefix }: Task, params: Params): Params => ({
  ...params,
  ...Object.fromEntries(
    Object.entries(params).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  ),
})

/** Views with the name of the task before theirs. */
export const namedViews = ({ name }: Task, views: Views): Views =>
  Object.fromEntries(Object.entries(views).map(([view, value]) => [`${name}.${view}`, value]))
