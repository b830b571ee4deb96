import {
  type Encoded,
  type Example,
  LOSS,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  type Params,
  TOKENIZER,
  definePlugin,
  scheduled,
  deriveKey,
  use,
} from '@attune/core'
import {
  type ObjectiveNeeds,
  type TaskObjective,
  collateAllTasks,
  collateOneTask,
  fitTasks,
  dispatchByTask,
  taskLosses,
  tasksIn,
} from '@attune/nn'
import { z } from 'zod'
import { hasOwnOutputs, headOf } from './encoder.js'
import { inTask, initialOf, mismatch, tasksOf } from './task.js'
import { trainingLoss } from './training-loss.js'

const options = z.strictObject({
  tasks: z
    .record(z.string().regex(/^[a-z\d][\w-]*$/i), use(OBJECTIVE))
    .describe('Objectives by the name of the task: `{ topic: { use: sequence-classification, label: topic } }`'),
  by: z.string().min(1).default('task').meta({ field: 'label' }).describe('Field that holds the task of a row'),
  batches: z
    .enum(['alternating', 'joint'])
    .default('alternating')
    .describe('Training batches: of one task each, or of all tasks, as `sampler: { use: stratified }` forms them'),
  layers: z
    .record(z.string(), z.int().min(0))
    .default({})
    .describe('Layer whose hidden states a task reads, by task, from 1; 0: the embeddings. Default: the last'),
  sharing: z
    .enum(['hard', 'soft'])
    .default('hard')
    .describe('Layers of the tasks: the same ones, or a copy for each task that is held close to the shared ones'),
  distance: scheduled(z.number().min(0).max(1000).default(0.01)).describe(
    "With `sharing: soft`, factor on the squared distances of the tasks' layers from the shared ones",
  ),
  weighting: z
    .enum(['fixed', 'uncertainty', 'gradnorm'])
    .default('fixed')
    .describe(
      'Weights of the losses: fixed, learned as the uncertainty of each task, or learned so that the tasks train at similar rates',
    ),
  asymmetry: scheduled(z.number().min(0).max(10).default(1.5)).describe(
    'With `weighting: gradnorm`, the exponent α: the higher, the more weight for tasks that learn slowly',
  ),
  gradients: z
    .enum(['sum', 'pcgrad'])
    .default('sum')
    .describe("Gradient of the shared parameters: the sum of the tasks' gradients, or of their projections (PCGrad)"),
  weights: z
    .record(z.string(), z.number().positive().max(1e6))
    .default({})
    .describe('Fixed weights of the losses by task. Default: 1'),
})

type Options = z.output<typeof options>

/** @throws AttuneError `TASK_MISMATCH` for options of other tasks, or that exclude each other */
function requireOptions({ tasks, weights, layers, weighting, gradients, batches }: Options): void {
  for (const [option, given] of Object.entries({ weights, layers })) {
    const other = Object.keys(given).find((name) => !Object.hasOwn(tasks, name))
    if (other !== undefined)
      throw mismatch(`${option} of the tasks ${Object.keys(tasks).join(', ')}, got "${other}"`, 'Correct the name.')
  }
  if (weighting !== 'fixed' && Object.keys(weights).length > 0)
    throw mismatch(`no \`weights\` with \`weighting: ${weighting}\`, which learns them`, 'Remove `weights`.')
  if (batches === 'joint' || (weighting !== 'gradnorm' && gradients !== 'pcgrad')) return
  const chosen = weighting === 'gradnorm' ? 'weighting: gradnorm' : 'gradients: pcgrad'
  throw mismatch(
    `\`batches: joint\` with \`${chosen}\`, which compares the tasks of a batch, got alternating batches`,
    'Set `batches: joint`, and add `sampler: { use: stratified }` to the configuration.',
  )
}

/** The training loss, unless it is the plain loss of the head on the last layer. */
function training(o: Options, model: Model, tasks: readonly TaskObjective[]): Partial<Objective> {
  const isPlain = o.weighting === 'fixed' && Object.keys(o.weights).length === 0 && o.batches === 'alternating'
  const comparesExamples = o.batches === 'joint' || tasks.some(({ objective }) => objective.comparesExamples)
  const whole = comparesExamples ? { comparesExamples } : {}
  if (isPlain && !tasks.some((task) => hasOwnOutputs(o, task))) return whole
  return {
    ...whole,
    trainingLoss: (context, batch) => trainingLoss(o, { model, tasks }, context, batch),
    ...(o.weighting === 'gradnorm' && {
      beforeEpoch: async (pass, _, memory) => memory ?? (await taskLosses(tasks, pass)),
    }),
  }
}

/** Content for `config.json`; the class is that of the model without heads, for other libraries. */
const configOf = ({ heads }: Model, tasks: readonly TaskObjective[]) => ({
  architectures: [heads['contrastive']?.architecture ?? tasks[0]!.objective.config['architectures']].flat(),
  tasks: Object.fromEntries(tasks.map(({ name, objective }) => [name, objective.config])),
})

function create(o: Options, given: ObjectiveNeeds): Objective {
  requireOptions(o)
  const tasks = tasksOf(o.tasks, given)
  const { model } = given
  const encodeIn = (how: 'encode' | 'encodeUnlabelled') => (example: Example) => {
    const task = inTask(tasks, example, o.by)
    return { ...(task.objective[how](example) as Encoded), group: task.name }
  }
  return {
    ...dispatchByTask(tasks),
    config: configOf(model, tasks),
    init: (key) =>
      Object.assign({}, ...tasks.map((task) => initialOf(o, task, model, deriveKey(key, task.name)))) as Params,
    encode: encodeIn('encode'),
    encodeUnlabelled: encodeIn('encodeUnlabelled'),
    collate: (items, random) =>
      (o.batches === 'joint' && random !== undefined ? collateAllTasks : collateOneTask)(tasks, items, random),
    // The outputs of the model are those of the shared parameters and of the last layer.
    head(params, outputs, mode, batch) {
      const task = tasksIn(tasks, batch)[0]!
      const forward: Model['forward'] = hasOwnOutputs(o, task) ? (...call) => model.forward(...call) : () => outputs
      return headOf(o, task, { params, mode, batch }, forward)
    },
    ...training(o, model, tasks),
  }
}

/**
 * Multi-task learning: one model, and a head for each task. Every row names its task. A training batch holds the rows of one task, in random
 * order (`alternating`), or fixed numbers of rows of each (`joint`), whose mean losses are summed.
 *
 * Sharing: all layers are shared (hard). With `layers`, a task reads a lower layer, as if it were the last, and its loss trains the layers up to
 * it; its pooled vector is the mean of the tokens. With `sharing: soft`, each task has layers of its own, the shared ones plus
 * differences Δ, learned from 0, and the loss grows by `distance · Σ ‖Δ‖²`; the embeddings are shared.
 *
 * Weights of the losses are fixed; or learned uncertainties,
 *
 *     loss of task k = exp(−s_k) · L_k + s_k / 2,   s_k = ln σ_k², learned from 0
 *
 * where a task whose loss stays high gets less weight; or, with `gradnorm`, learned such that the tasks train at similar rates: the norm of a
 * task's gradient follows `mean norm · (relative inverse training rate)^asymmetry`. L(0) is the mean loss over the training data.
 *
 * With `gradients: pcgrad`, the gradient of a task in the shared parameters loses its component along that of another task if the two conflict.
 *
 * Parameters of a head are named `task.NAME.…`, and views `NAME.…`, so that a metric names its task: `{ use: accuracy, of: NAME }`.
 */
export const multiTask = definePlugin({
  kind: OBJECTIVE,
  name: 'multi-task',
  summary: 'Multi-task learning: several tasks on one model, a head each',
  source:
    'Caruana, Multitask Learning, 1997; Kendall, Gal and Cipolla, 2018, equation 10 (uncertainty); Chen et al., GradNorm, 2018, equations 1 and 2; Yu et al., Gradient Surgery for Multi-Task Learning, 2020, algorithm 1 (PCGrad); Søgaard and Goldberg, 2016 (lower layers); Evgeniou and Pontil, Regularized Multi-Task Learning, 2004; Duong et al., 2015 (soft sharing)',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit(o, ...data) {
    return { ...o, tasks: await fitTasks(o.tasks, o.by, ...data) }
  },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective multi-task': typeof multiTask
  }
}

export default multiTask
