import {
  type AuxiliaryModel,
  type Key,
  LOSS,
  type Losses,
  MODEL,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type TrainingContext,
  type Tree,
  definePlugin,
  isTensor,
  scheduled,
  use,
} from '@attune/core'
import { type ObjectiveNeeds, createNested, fitNested, normal, softTargetLoss, softTargetLosses } from '@attune/nn'
import { type Tensor, mul, reshape } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { PROJECTION, layerLosses, mismatch } from './layer-losses.js'

const weight = (byDefault: number) => scheduled(z.number().min(0).max(1000).default(byDefault))
const layers = z.union([z.enum(['last', 'all']), z.array(z.tuple([z.int().min(0), z.int().min(0)])).min(1)])

const options = z.strictObject({
  task: use(OBJECTIVE).describe('Objective of the student and of the teacher: `{ use: masked-language-modeling }`'),
  teacher: z.string().default('teacher').describe('Name of the teacher under `models` in the configuration'),
  temperature: scheduled(z.number().positive().max(1000).default(2)).describe('Temperature of both softmaxes'),
  divergence: z
    .enum(softTargetLosses)
    .default('kl')
    .describe(
      "Loss of the student's logits for those of the teacher: KL from the teacher, reverse KL, Jensen–Shannon, or squared error",
    ),
  taskWeight: weight(0.5).describe("Weight of the task's own loss, that of the labels"),
  softWeight: weight(0.5).describe('Weight of the loss of the logits'),
  hiddenWeight: weight(0).describe('Weight of the loss of the hidden states; 0: not computed'),
  hiddenLoss: z
    .enum(['cosine', 'squared-error'])
    .default('cosine')
    .describe('Loss of the hidden states: cosine distance (DistilBERT) or squared error (PKD, TinyBERT)'),
  hiddenLayers: layers
    .default('last')
    .describe(
      'Pairs of a student and a teacher layer, `[[1, 2], [2, 4]]`; 0: the embeddings. `all`: evenly spaced layers of the teacher',
    ),
  projection: z
    .union([z.int().positive(), z.array(z.array(z.number()).min(1)).min(1)])
    .optional()
    .describe(
      "Projection of the student's hidden states: the hidden size of the teacher for a learned one, or the rows of a fixed one, `[teacher, student]`",
    ),
  attentionWeight: weight(0).describe('Weight of the KL divergence of the attention weights; 0: not computed'),
  attentionLayers: layers
    .default('last')
    .describe('Pairs of a student and a teacher layer, from 0. `all`: evenly spaced layers of the teacher'),
})

type Options = z.output<typeof options>

/** Logits of a head as rows, `[rows, classes]`. */
function logitsOf(head: Tree): Tensor {
  const logits = isTensor(head) ? head : head['logits']
  if (isTensor(logits)) return reshape(logits, [-1, logits.rank === 1 ? 1 : logits.shape.at(-1)!])
  throw mismatch(
    'expected an objective whose head returns logits',
    'Distil a classification, a regression or language modeling, or set `softWeight: 0`.',
  )
}

/** Soft-target loss of each row of the task's loss, with its weights. */
function softLosses(student: Tree, teacher: Tree, own: Losses, o: Options, isMultiLabel: boolean): Losses {
  const [found, wanted] = [logitsOf(student), logitsOf(teacher)]
  if (found.shape[1] !== wanted.shape[1])
    throw mismatch(
      `expected a teacher with ${found.shape[1]} logits, got ${wanted.shape[1]}`,
      'Use a teacher with the labels or the vocabulary of the student.',
    )
  if (o.divergence !== 'squared-error' && (isMultiLabel || found.shape[1] === 1))
    throw mismatch(
      `expected logits of classes of which exactly one holds for \`divergence: ${o.divergence}\`, got independent numbers`,
      'Set `divergence: squared-error`.',
    )
  return { ...own, losses: reshape(softTargetLoss(found, wanted, o), own.weights.shape) }
}

function teacherOf({ models }: TrainingContext, name: string): AuxiliaryModel {
  const teacher = models[name]
  if (teacher !== undefined) return teacher
  throw mismatch(
    `expected a teacher under models.${name}, got ${Object.keys(models).join(', ') || 'no models'}`,
    `Add \`models: { ${name}: { use: bert, from: FOLDER } }\` to the configuration.`,
  )
}

const scaled = (own: Losses, factor: number | Tensor): Losses => ({ ...own, losses: mul(own.losses, factor) })

function create(o: Options, given: ObjectiveNeeds): Objective {
  const task: Objective = createNested(o.task, given)
  if (task.trainingLoss !== undefined)
    throw mismatch('expected a task without a training loss of its own', 'Distil the objective that it wraps.')
  const isMultiLabel = task.config['problem_type'] === 'multi_label_classification'
  const { hiddenSize, initializerRange } = given.model
  return {
    ...task,
    init: (key: Key) => ({
      ...task.init(key),
      ...(typeof o.projection === 'number' && {
        [PROJECTION]: normal(key, [o.projection, hiddenSize], initializerRange),
      }),
    }),
    trainingLoss(context, batch) {
      const teacher = teacherOf(context, o.teacher)
      const keep = [
        ...(o.softWeight !== 0 ? (['logits'] as const) : []),
        ...(o.hiddenWeight !== 0 ? (['hiddenStates'] as const) : []),
        ...(o.attentionWeight !== 0 ? (['attentions'] as const) : []),
      ]
      const inputs = batch.inputs
      const mode = { ...context.mode, keep }
      const outputs = context.forward(inputs, { mode })
      const guide = teacher.forward(inputs, keep)
      const head = task.head(context.params, outputs, mode, batch)
      const own = task.loss(head, batch)
      const soft = (): Losses => softLosses(head, teacher.head(guide, batch, keep), own, o, isMultiLabel)
      return {
        task: scaled(own, o.taskWeight),
        ...(o.softWeight !== 0 && { soft: scaled(soft(), o.softWeight) }),
        ...layerLosses(o, { params: context.params, inputs }, outputs, guide),
      }
    },
  }
}

/**
 * Knowledge distillation: the model, the student, learns from the labels of a task and from the predictions of a frozen teacher on the same
 * batch.
 *
 *     loss = taskWeight · task + softWeight · T² · KL(softmax(teacher / T) ‖ softmax(student / T))
 *          + hiddenWeight · hidden + attentionWeight · attention
 *
 * Each term is a mean: the first two over the rows or tokens of the task, the others over the tokens of the texts and the pairs of layers.
 * The factor T² is often left out; without it a higher temperature weakens the soft targets. The student reads the token ids of the
 * teacher, so both need the same tokenizer, and the same labels or vocabulary. Evaluation and predictions are those of the task.
 */
export const distillation = definePlugin({
  kind: OBJECTIVE,
  name: 'distillation',
  summary: 'Knowledge distillation: a student learns a task from the logits and hidden states of a frozen teacher',
  source:
    'Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, section 2; Sanh et al., DistilBERT, 2019, section 2',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  fit: async (o, ...data) => ({ ...o, task: await fitNested(o.task, ...data) }),
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective distillation': typeof distillation
  }
}

export default distillation
