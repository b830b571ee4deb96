import { AttuneError, type Chosen, type Example, type Objective, fieldsRead, isChosen, isRecord } from '@attune/core'
import type { OpenModel } from './open-model.js'

/** A task of a multi-task model. */
export interface ModelTask {
  /** Prefix of the names of its parameters. */
  readonly prefix: string
  /** Fields of an example that it reads. */
  readonly fields: readonly string[]
  /** True if it generates text. */
  readonly generates: boolean
  /** True if it generates another text than the one it reads, so that nothing can be predicted of that one. */
  readonly generatesFromSource: boolean
  /** Layer that it reads; undefined: the last. */
  readonly layer: number | undefined
  /** Returns an example as one of the task. */
  readonly assign: (example: Example) => Example
}

const HEADS = ['sequence-to-sequence', 'causal-language-modeling'] as const

/** The tasks of a multi-task objective by name; undefined for another objective. */
export function tasksOfModel({
  objective: { options },
  components: { model, objective },
}: Pick<OpenModel, 'objective'> & {
  readonly components: Pick<OpenModel['components'], 'model' | 'objective'>
}): Readonly<Record<string, ModelTask>> | undefined {
  const { tasks, by, layers } = options
  const saved = objective.config['tasks']
  if (!isRecord(tasks) || !isRecord(saved) || typeof by !== 'string') return undefined
  const chosen = Object.entries(tasks).filter((entry): entry is [string, Chosen] => isChosen(entry[1]))
  return Object.fromEntries(
    chosen.map(([name, own]): [string, ModelTask] => {
      const [architecture] = [(saved[name] as Objective['config'])['architectures']].flat() as (string | undefined)[]
      const isHead = (head: (typeof HEADS)[number]): boolean =>
        architecture !== undefined && architecture === model.heads[head]?.architecture
      const layer = isRecord(layers) && Object.hasOwn(layers, name) ? Number(layers[name]) : undefined
      return [
        name,
        {
          prefix: `task.${name}.`,
          fields: fieldsRead(own),
          generates: HEADS.some(isHead),
          generatesFromSource: isHead('sequence-to-sequence'),
          layer,
          assign: (example) => ({ ...example, [by]: name }),
        },
      ]
    }),
  )
}

/** Error of a task that is named for a model of a single task. */
export const singleTask = (folder: string): AttuneError =>
  new AttuneError(
    'TASK_MISMATCH',
    `expected a multi-task run, got a model of a single task (${folder})`,
    'Name no task.',
  )

/** The task of a name. @throws AttuneError `TASK_MISMATCH` */
export function taskNamed(opened: Parameters<typeof tasksOfModel>[0], name: string, folder: string): ModelTask {
  const tasks = tasksOfModel(opened)
  if (tasks === undefined) throw singleTask(folder)
  if (Object.hasOwn(tasks, name)) return tasks[name]!
  throw new AttuneError(
    'TASK_MISMATCH',
    `expected one of the tasks ${Object.keys(tasks).join(', ')}, got "${name}" (${folder})`,
    'Correct the name of the task.',
  )
}
