import {
  AttuneError,
  type Batch,
  type Encoded,
  type Example,
  type HostTree,
  type Objective,
  type OnDevice,
  type Params,
  type Views,
} from '@attune/core'
import { textOrName } from '@attune/data'
import type { Tensor } from '@tensorflow/tfjs-core'

/** A task: its objective, and the prefix of the names of its parameters and arrays. */
export interface Task {
  readonly name: string
  readonly prefix: string
  readonly objective: Objective
}

/** Creates an error of the objective. @param expected what was expected, and what was given */
export const mismatch = (expected: string, remedy: string): AttuneError =>
  new AttuneError('TASK_MISMATCH', `objective multi-task: expected ${expected}`, remedy)

/** True if a parameter is shared by the tasks; those of one task have its prefix. */
export const isShared = (parameter: string): boolean => !parameter.startsWith('task.')

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
  throw mismatch(
    `one of the tasks ${tasks.map((each) => each.name).join(', ')} in field "${by}", got "${name}"`,
    'Correct or remove the row, or add the task to the option `tasks`.',
  )
}

/** Collates rows of one task. @throws AttuneError `TASK_MISMATCH` for rows of several */
export function collateOne(tasks: readonly Task[], items: readonly Encoded[], random?: () => number): Batch {
  const { name, prefix, objective } = taskOf(tasks, items[0]!.group)
  const other = items.find(({ group }) => group !== name)
  if (other !== undefined)
    throw mismatch(`rows of one task in a batch, got "${name}" and "${other.group}"`, 'Set `batches: joint`.')
  const { inputs, ...rest } = objective.collate(items, random)
  return { inputs, [prefix]: rest } as Batch
}

/**
 * Collates rows of all tasks: `inputs` by task, the other arrays under the prefix of the task, and `positions`, the positions of the task's
 * rows in the batch.
 * @throws AttuneError `TASK_MISMATCH` if a task has no rows
 */
export function collateJoint(tasks: readonly Task[], items: readonly Encoded[], random?: () => number): Batch {
  const parts = tasks.map(({ name, prefix, objective }) => {
    const positions = items.flatMap(({ group }, i) => (group === name ? [i] : []))
    if (positions.length === 0)
      throw mismatch(
        `rows of every task in a joint batch, got none of "${name}"`,
        'Add `sampler: { use: stratified }` to the configuration, and rows of the task to the data.',
      )
    const batch: Batch = objective.collate(
      positions.map((i) => items[i]!),
      random,
    )
    return { name, prefix, positions, batch }
  })
  const byTask = (valueOf: (part: (typeof parts)[number]) => HostTree): Record<string, HostTree> =>
    Object.fromEntries(parts.map((part) => [part.name, valueOf(part)]))
  return {
    ...Object.fromEntries(parts.map(({ prefix, batch: { inputs: _, ...rest } }) => [prefix, rest])),
    inputs: byTask(({ batch }) => batch.inputs),
    positions: byTask(({ positions }) => ({
      shape: [positions.length],
      dtype: 'int32',
      values: Int32Array.from(positions),
    })),
  }
}

/** The task of a batch of one task. */
export const batchOf = (tasks: readonly Task[], batch: object): Task => tasks.find(({ prefix }) => prefix in batch)!

/** The tasks whose rows a batch holds. */
export const tasksIn = (tasks: readonly Task[], batch: object): readonly Task[] =>
  tasks.filter(({ prefix }) => prefix in batch)

/** The positions of a task's rows in a joint batch, int32 `[rows]`; undefined in a batch of one task. */
export const positionsOf = ({ name }: Task, batch: OnDevice<Batch>): Tensor | undefined =>
  (batch['positions'] as Readonly<Record<string, Tensor>> | undefined)?.[name]

/** A batch as the objective of a task collated it. */
export const ownBatch = (task: Task, batch: OnDevice<Batch>): OnDevice<Batch> =>
  ({
    inputs: positionsOf(task, batch) === undefined ? batch.inputs : batch.inputs[task.name],
    ...(batch[task.prefix] as object),
  }) as OnDevice<Batch>

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
