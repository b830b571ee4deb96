import {
  ADAPTER,
  AUGMENTER,
  BALANCER,
  CALLBACK,
  CLEANER,
  ENGINE,
  FILTER,
  LOSS,
  METRIC,
  MODEL,
  OBJECTIVE,
  OPTIMIZER,
  PROTOCOL,
  REGULARIZER,
  SAMPLER,
  SCHEDULER,
  SOURCE,
  TOKENIZER,
  TRACKER,
  type Use,
  use,
  useAll,
} from '@attune/core'
import { z } from 'zod'
import type { TypedConfig } from './typed-config.js'
import { AUTO } from './choose-engine.js'
import { recordOf } from './record-of.js'

const training = z.strictObject({
  epochs: z.int().min(1).max(100_000).default(3).describe('Number of epochs (passes over the training data)'),
  batchSize: z.int().min(1).max(65_536).default(16).describe('Batch size: examples per optimizer step'),
  microBatchSize: z
    .int()
    .min(1)
    .max(65_536)
    .optional()
    .describe(
      'Micro-batch size; gradients are accumulated over the micro-batches of a step to save memory. Default: the batch size',
    ),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .describe(
      'Gradient checkpointing: recompute activations in the backward pass instead of storing them. Less memory, about a third more time',
    ),
  learningRate: z.number().positive().max(10).default(5e-5).describe('Peak learning rate, scaled by the scheduler'),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe('Gradient clipping: maximum global norm of the gradient. null: no clipping'),
  evaluateEvery: z
    .union([z.literal('epoch'), z.int().min(1)])
    .default('epoch')
    .describe('Evaluation interval on the validation split: after each epoch, or every N steps'),
  shuffleBuffer: z.int().min(1).max(10_000_000).default(10_000).describe('Size of the shuffle buffer in examples'),
  cacheOutputs: z
    .boolean()
    .default(false)
    .describe(
      'Feature caching: compute the outputs of a fully frozen model (`adapter: head-only`) once for each text, without dropout, and train the head on them',
    ),
  cacheMemory: z
    .number()
    .min(0)
    .max(1_048_576)
    .default(1024)
    .describe(
      'Maximum size of cached outputs in memory, in MiB. Larger ones are kept in the file `outputs.cache` of the run folder',
    ),
})

/** Schema of a run configuration, for YAML files and code. */
export const runSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe('Random seed'),
  directory: z.string().optional().describe('Run folder. Default: none, nothing is written'),
  data: z
    .strictObject({
      train: use(SOURCE).describe('Training data'),
      validation: use(SOURCE).optional().describe('Validation data. Default: a validation split made by the protocol'),
      test: use(SOURCE).optional().describe('Test data for `attune evaluate`, never used in training'),
    })
    .describe('Data sources'),
  cleaner: useAll(CLEANER).prefault([]).describe('Text cleaning for training and prediction, applied in order'),
  filter: useAll(FILTER).prefault([]).describe('Filters of training examples (duplicates, outliers), applied in order'),
  balancer: useAll(BALANCER).prefault([]).describe('Class balancing of the training examples, applied in order'),
  augmenter: useAll(AUGMENTER).prefault([]).describe('Data augmentation of the training examples, applied in order'),
  sampler: use(SAMPLER).optional().describe('Sampler: order of the training examples. Default: shuffled'),
  protocol: use(PROTOCOL)
    .prefault('holdout')
    .describe('Protocol that splits off validation data if data.validation is absent'),
  fold: z.int().min(0).max(100_000).optional().describe("Index of the protocol's fold to train on, from 0. Default: 0"),
  tokenizer: use(TOKENIZER).describe('Tokenizer'),
  model: use(MODEL).describe(
    'Model architecture. `from: FOLDER` starts from a saved model, `embeddings: FILE` from word vectors; `encoder: { use, from }` adds a frozen encoder',
  ),
  objective: use(OBJECTIVE).describe('Training objective (task)'),
  loss: useAll(LOSS).prefault([]).describe("Loss functions, summed with their weights. Default: the objective's loss"),
  regularizer: useAll(REGULARIZER)
    .prefault([])
    .describe('Regularizers: terms and transformations of the training loss, applied in order'),
  models: recordOf(z.string().regex(/^[a-z][A-Za-z0-9]*$/), use(MODEL))
    .default({})
    .describe('Frozen auxiliary models by name: `teacher: { use: bert, from: FOLDER }`'),
  reference: z
    .literal('start')
    .optional()
    .describe(
      '`start`: keep a frozen copy of the initial model (reference model), for objectives that compare with it',
    ),
  adapter: use(ADAPTER).prefault('full').describe('Adapter: which parameters are trained'),
  trainAddedTokens: z
    .boolean()
    .default(false)
    .describe(
      'Train the embedding rows of tokens that `model.resizeEmbeddings` added, also with an adapter that freezes the embeddings',
    ),
  engine: use(ENGINE)
    .prefault(AUTO)
    .describe('Compute engine. `auto`: the most preferred installed engine that starts here'),
  optimizer: useAll(OPTIMIZER).prefault('adamw').describe('Optimizer; several are chained'),
  scheduler: use(SCHEDULER).prefault('linear').describe('Learning-rate schedule'),
  schedule: recordOf(z.string(), use(SCHEDULER))
    .default({})
    .describe('Schedules of other options by path: `objective.reversal: { use: linear, from: 0, to: 1 }`'),
  metric: useAll(METRIC).prefault([]).describe('Evaluation metrics in addition to the loss'),
  callback: useAll(CALLBACK).prefault([]).describe('Callbacks on events: checkpoints, early stopping'),
  tracker: useAll(TRACKER).prefault([]).describe('Trackers that display or log events'),
  saveAs: z
    .enum(['float32', 'float16'])
    .default('float32')
    .describe('Precision of the saved weights. float16 halves the file size'),
  saveAdapter: z
    .boolean()
    .default(false)
    .describe(
      'Also save the adapter alone, in the PEFT layout, in the folder `adapter` of the run; the saved model has it merged',
    ),
  training: training.prefault({}).describe('Training loop'),
})

/** A run configuration as the user writes it. */
export type RunConfig = z.input<typeof runSchema>

/** Marks keys of `C` that `S` does not have. */
type NoOtherKeys<C, S> = Readonly<Record<Exclude<keyof C, keyof S>, never>>

/** The same for the section `K`. */
type NoOtherKeysIn<C, K extends keyof RunConfig> = C extends { readonly [P in K]: infer T }
  ? { readonly [P in K]: NoOtherKeys<T, NonNullable<RunConfig[K]>> }
  : unknown

/** A run configuration in code, whose keys and plugin options the compiler checks ({@link TypedConfig}). */
export type TypedRunConfig<C extends RunConfig> = C &
  TypedConfig<C> &
  NoOtherKeys<C, RunConfig> &
  NoOtherKeysIn<C, 'data'> &
  NoOtherKeysIn<C, 'training'>

/** A parsed run configuration: defaults filled in, plugins not yet resolved. */
export type ParsedConfig = z.output<typeof runSchema>

/** Settings of the training loop. */
export type TrainingSettings = ParsedConfig['training']

/** Effective micro-batch size: at most the batch size. */
export const microBatchSizeOf = ({ batchSize, microBatchSize = batchSize }: TrainingSettings): number =>
  Math.min(batchSize, microBatchSize)

/** Removes options that the run handles itself from a plugin's configuration. */
export function without(named: Use, ...options: readonly string[]): Use {
  const rest = Object.entries(named.options).filter(([name]) => !options.includes(name))
  return { ...named, options: Object.fromEntries(rest) }
}
