import {
  AttuneError,
  type Batch,
  type Encoded,
  type Example,
  type Key,
  LOSS,
  type Losses,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type OnDevice,
  type Params,
  TOKENIZER,
  type TextInputs,
  type TrainingContext,
  definePlugin,
  deriveKey,
  use,
} from '@attune/core'
import { type ChosenObjective, type ObjectiveNeeds, createNested, filledWith, fitNested } from '@attune/nn'
import { type Tensor, add, div, exp, mul } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { type Task, batchOf, inTask, logVarianceOf, namedViews, ownBatch, ownParams, taskOf } from './task.js'

const options = z.strictObject({
  tasks: z
    .record(z.string().regex(/^[a-z\d][\w-]*$/i), use(OBJECTIVE))
    .describe('Objectives by the name of the task: `{ topic: { use: sequence-classification, label: topic } }`'),
  by: z.string().min(1).default('task').meta({ field: 'label' }).describe('Field that holds the task of a row'),
  weighting: z
    .enum(['fixed', 'uncertainty'])
    .default('fixed')
    .describe('Weights of the losses: fixed, or learned as the uncertainty of each task'),
  weights: z
    .record(z.string(), z.number().positive().max(1e6))
    .default({})
    .describe('Fixed weights of the losses by task. Default: 1'),
})

type Options = z.output<typeof options>

const mismatch = (expected: string, remedy: string): AttuneError =>
  new AttuneError('TASK_MISMATCH', `objective multi-task: expected ${expected}`, remedy)

/** @throws AttuneError `TASK_MISMATCH` for a weight of another name, or weights that uncertainty replaces */
function requireWeights({ tasks, weights, weighting }: Options): void {
  const other = Object.keys(weights).find((name) => !Object.hasOwn(tasks, name))
  if (other !== undefined)
    throw mismatch(`weights of the tasks ${Object.keys(tasks).join(', ')}, got "${other}"`, 'Correct the name.')
  if (weighting === 'uncertainty' && Object.keys(weights).length > 0)
    throw mismatch('no `weights` with `weighting: uncertainty`, which learns them', 'Remove `weights`.')
}

/** The tasks. @throws AttuneError `TASK_MISMATCH` if there are none, or one does more than a forward pass and a loss */
function tasksOf({ tasks }: Options, given: ObjectiveNeeds): readonly Task[] {
  const all = Object.entries(tasks).map(([name, chosen]): Task => {
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

/** The loss of a batch, which is of one task, in proportion to the others. */
function weighted(o: Options, { name }: Task, own: Losses, { params }: TrainingContext): Losses {
  if (o.weighting === 'fixed')
    return { ...own, losses: mul(own.losses, Object.hasOwn(o.weights, name) ? o.weights[name]! : 1) }
  const logVariance = params[logVarianceOf(name)] as Tensor
  return { ...own, losses: add(div(own.losses, exp(logVariance)), mul(logVariance, 0.5)) }
}

/** The training loss, unless all weights are 1. */
function trainingLoss(o: Options, tasks: readonly Task[]): Pick<Objective, 'trainingLoss'> {
  if (o.weighting === 'fixed' && Object.keys(o.weights).length === 0) return {}
  return {
    trainingLoss(context, batch) {
      const task = batchOf(tasks, batch)
      const { params, mode, forward } = context
      const own = ownBatch(task, batch)
      const head = task.objective.head(ownParams(task, params), forward(own.inputs as unknown as TextInputs), mode, own)
      return weighted(o, task, task.objective.loss(head, own), context)
    },
  }
}

/** Content for `config.json`; the class is that of the model without heads, for other libraries. */
const configOf = ({ heads }: Model, tasks: readonly Task[]) => ({
  architectures: [heads['contrastive']?.architecture ?? tasks[0]!.objective.config['architectures']].flat(),
  tasks: Object.fromEntries(tasks.map(({ name, objective }) => [name, objective.config])),
})

/** Initial parameters of all heads, and of the learned weights. */
const initial = ({ weighting }: Options, tasks: readonly Task[], key: Key): Params =>
  Object.fromEntries(
    tasks.flatMap(({ name, prefix, objective }) => [
      ...Object.entries(objective.init(deriveKey(key, name))).map(([own, tensor]) => [prefix + own, tensor] as const),
      ...(weighting === 'uncertainty' ? [[logVarianceOf(name), filledWith([], 0)] as const] : []),
    ]),
  )

function create(o: Options, given: ObjectiveNeeds): Objective {
  requireWeights(o)
  const tasks = tasksOf(o, given)
  const find = ({ group }: Encoded): Task => taskOf(tasks, group)
  const encodeIn = (how: 'encode' | 'encodeUnlabelled') => (example: Example) => {
    const task = inTask(tasks, example, o.by)
    return { ...(task.objective[how](example) as Encoded), group: task.name }
  }
  return {
    views: tasks.flatMap(({ name, objective }) => objective.views.map((view) => `${name}.${view}`)),
    maximumLength: Math.max(...tasks.map(({ objective }) => objective.maximumLength)),
    config: configOf(given.model, tasks),
    init: (key) => initial(o, tasks, key),
    encode: encodeIn('encode'),
    encodeUnlabelled: encodeIn('encodeUnlabelled'),
    collate(items, random) {
      const { prefix, objective } = find(items[0]!)
      const { inputs, ...rest } = objective.collate(items, random)
      return { inputs, [prefix]: rest } as Batch
    },
    head(params, outputs, mode, batch) {
      const task = batchOf(tasks, batch)
      return task.objective.head(ownParams(task, params), outputs, mode, ownBatch(task, batch))
    },
    loss(head, batch: OnDevice<Batch>) {
      const task = batchOf(tasks, batch)
      return task.objective.loss(head, ownBatch(task, batch))
    },
    ...trainingLoss(o, tasks),
    predict(head, items) {
      const task = find(items[0]!)
      return task.objective.predict(head, items).map((views) => namedViews(task, views))
    },
    reference(item) {
      const task = find(item)
      return namedViews(task, task.objective.reference(item))
    },
  }
}

/**
 * Multi-task learning with hard parameter sharing: one model, and a head for each task. Every row names its task, and every batch holds the
 * rows of one, in random order; a sampler changes how often each occurs. Losses are weighted by fixed numbers, or by learned uncertainties:
 *
 *     loss of task k = exp(−s_k) · L_k + s_k / 2,   s_k = ln σ_k², learned from 0
 *
 * A task whose loss stays high gets less weight; without the second term all weights would go to 0. Parameters of a head are named
 * `task.NAME.…`, and views `NAME.…`, so that a metric names its task: `{ use: accuracy, of: NAME }`.
 */
export const multiTask = definePlugin({
  kind: OBJECTIVE,
  name: 'multi-task',
  summary: 'Multi-task learning: several tasks on one model, a head each',
  source:
    'Caruana, Multitask Learning, 1997; Kendall, Gal and Cipolla, Multi-Task Learning Using Uncertainty to Weigh Losses, 2018, equation 10',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, examples, ...rest) {
    const fitted: [string, unknown][] = []
    for (const [name, chosen] of Object.entries(o.tasks)) {
      async function* own() {
        for await (const example of examples()) if (String(example[o.by]) === name) yield example
      }
      fitted.push([name, await fitNested(chosen as ChosenObjective, own, ...rest)])
    }
    return { ...o, tasks: Object.fromEntries(fitted) as never }
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective multi-task': typeof multiTask
  }
}

export default multiTask
