import {
  AttuneError,
  type Batch,
  type DataPass,
  type Encoded,
  type HostTree,
  type Losses,
  type Objective,
  type OnDevice,
  type ReducedLoss,
  type Tree,
  type Views,
} from '@attune/core'
import { type Tensor, add, clone, div, gather, reshape, scalar, zeros } from '@tensorflow/tfjs-core'
import { reduceLosses } from './reduce-losses.js'

/** One of several objectives on a model, and the prefix of the names of its parameters and arrays. */
export interface TaskObjective {
  readonly name: string
  readonly prefix: string
  readonly objective: Objective
}

const mismatch = (expected: string, remedy: string): AttuneError =>
  new AttuneError('TASK_MISMATCH', `batch of tasks: expected ${expected}`, remedy)

/** The task of a row, which is its `group`. */
function taskOf(tasks: readonly TaskObjective[], { group }: Encoded): TaskObjective {
  const task = tasks.find(({ name }) => name === group)
  if (task === undefined) throw new Error(`batch of tasks: an item of no task, ${String(group)}`) // encoded elsewhere
  return task
}

/** Collates rows of one task. @throws AttuneError `TASK_MISMATCH` for rows of several */
export function collateOneTask(
  tasks: readonly TaskObjective[],
  items: readonly Encoded[],
  random?: () => number,
): Batch {
  const { name, prefix, objective } = taskOf(tasks, items[0]!)
  const other = items.find(({ group }) => group !== name)
  if (other !== undefined)
    throw mismatch(`rows of one task in a batch, got "${name}" and "${other.group}"`, 'Set `batches: joint`.')
  const { inputs, ...rest } = objective.collate(items, random)
  return { inputs, [prefix]: rest } as Batch
}

/**
 * Collates rows of all tasks: `inputs` by task, the other arrays under the prefix of the task, and `positions`, the positions of the task's
 * rows in the batch, int32 `[rows]`.
 * @throws AttuneError `TASK_MISMATCH` if a task has no rows
 */
export function collateAllTasks(
  tasks: readonly TaskObjective[],
  items: readonly Encoded[],
  random?: () => number,
): Batch {
  const parts = tasks.map(({ name, prefix, objective }) => {
    const positions = items.flatMap(({ group }, i) => (group === name ? [i] : []))
    if (positions.length === 0)
      throw mismatch(
        `rows of every task in a joint batch, got none of "${name}"`,
        'Add `sampler: { use: stratified }` to the configuration, and rows of the task to the data.',
      )
    const own = positions.map((i) => items[i]!)
    return { name, prefix, positions, batch: objective.collate(own, random) as Batch }
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

/** The tasks whose rows a batch holds. */
export const tasksIn = (tasks: readonly TaskObjective[], batch: object): readonly TaskObjective[] =>
  tasks.filter(({ prefix }) => prefix in batch)

/** The positions of a task's rows in a joint batch, int32 `[rows]`; undefined in a batch of one task. */
export const taskPositions = ({ name }: TaskObjective, batch: OnDevice<Batch>): Tensor | undefined =>
  (batch['positions'] as Readonly<Record<string, Tensor>> | undefined)?.[name]

/** A batch as the objective of a task collated it. */
export const batchOfTask = (task: TaskObjective, batch: OnDevice<Batch>): OnDevice<Batch> =>
  ({
    inputs: taskPositions(task, batch) === undefined ? batch.inputs : batch.inputs[task.name],
    ...(batch[task.prefix] as object),
  }) as OnDevice<Batch>

/**
 * Losses of a part of a batch, with the position of the example of each loss in the whole batch.
 * @param positions those of the part's rows, int32 `[rows]`
 */
export function atPositions({ examples, ...own }: Losses, positions: Tensor): Losses {
  const { shape } = own.losses
  if (examples !== undefined)
    return { ...own, examples: reshape(gather(positions, reshape(examples, [-1]) as never), shape) } as Losses
  const rows = reshape(positions, [-1, ...new Array<number>(shape.length - 1).fill(1)])
  return { ...own, examples: add(zeros(shape, 'int32'), rows) } as Losses
}

/** Views with the name of the task before theirs. */
const namedViews = ({ name }: TaskObjective, views: Views): Views =>
  Object.fromEntries(Object.entries(views).map(([view, value]) => [`${name}.${view}`, value]))

/** Members of an objective that dispatch rows, and batches of one task, to the objective of their task. Views are named `TASK.VIEW`. */
export function dispatchByTask(
  tasks: readonly TaskObjective[],
): Pick<Objective, 'views' | 'maximumLength' | 'loss' | 'predict' | 'reference'> {
  return {
    views: tasks.flatMap(({ name, objective }) => objective.views.map((view) => `${name}.${view}`)),
    maximumLength: Math.max(...tasks.map(({ objective }) => objective.maximumLength)),
    loss(head, batch: OnDevice<Batch>) {
      const task = tasksIn(tasks, batch)[0]!
      return task.objective.loss(head, batchOfTask(task, batch))
    },
    predict(head, items) {
      const task = taskOf(tasks, items[0]!)
      return task.objective.predict(head, items).map((views) => namedViews(task, views))
    },
    reference(item) {
      const task = taskOf(tasks, item)
      return namedViews(task, task.objective.reference(item))
    },
  }
}

/** Sums of the losses of each task over the training data, by the name of the task. Batches hold the rows of one task. */
export async function taskLosses(tasks: readonly TaskObjective[], pass: DataPass): Promise<Tree> {
  const start = (): Record<string, ReducedLoss> =>
    Object.fromEntries(tasks.map(({ name }) => [name, { sum: scalar(0), weight: scalar(0) }]))
  return pass.fold<Record<string, ReducedLoss>>(start, (sums, at) => {
    const batch = at.batch as never
    return Object.fromEntries(
      tasks.map((task) => {
        const before = sums[task.name]!
        if (!(task.prefix in at.batch)) return [task.name, { sum: clone(before.sum), weight: clone(before.weight) }]
        const own = reduceLosses(task.objective.loss(at.head(), batchOfTask(task, batch)) as Losses, batch)
        return [task.name, { sum: add(before.sum, own.sum), weight: add(before.weight, own.weight) }]
      }),
    )
  })
}

/**
 * Mean loss of each task, `[]`.
 * @param sums the result of `taskLosses`
 * @throws AttuneError `TASK_MISMATCH` if that of a task is absent
 */
export function meanTaskLosses(tasks: readonly TaskObjective[], sums: Tree | undefined): readonly Tensor[] {
  const all = sums as Readonly<Record<string, ReducedLoss>> | undefined
  return tasks.map(({ name }) => {
    const own = all?.[name]
    if (own !== undefined) return div(own.sum, own.weight)
    throw mismatch(
      `the losses of "${name}" before training, got none`,
      'Pass the result of `beforeEpoch` to the steps, as `run` does.',
    )
  })
}
