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
import { AUTO } from './choose-engine.js'

const training = z.strictObject({
  epochs: z.int().min(1).max(100_000).default(3).describe('Passes over the training examples'),
  batchSize: z.int().min(1).max(65_536).default(16).describe('Examples a step learns from'),
  microBatchSize: z
    .int()
    .min(1)
    .max(65_536)
    .optional()
    .describe('Examples computed at once: a step adds up its gradients over such parts, in less memory; default: all'),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .describe('Compute each layer again for its gradient instead of keeping it: less memory, about a third more time'),
  learningRate: z
    .number()
    .positive()
    .max(10)
    .default(5e-5)
    .describe('The greatest learning rate; the scheduler scales it'),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(1)
    .describe('Maximum norm of the gradient, which is scaled down to it; null: no clipping'),
  evaluateEvery: z
    .union([z.literal('epoch'), z.int().min(1)])
    .default('epoch')
    .describe('When to score the validation split: after each epoch, or every so many steps'),
  shuffleBuffer: z.int().min(1).max(10_000_000).default(10_000).describe('Examples held in memory to shuffle among'),
})

/** The schema of a run's configuration, the same for a YAML file and for code. */
export const runSchema = z.strictObject({
  seed: z.int().min(0).default(0).describe('Where all randomness comes from'),
  directory: z.string().optional().describe('The folder to keep the run in; without one, nothing is written'),
  data: z
    .strictObject({
      train: use(SOURCE).describe('Examples to learn from'),
      validation: use(SOURCE)
        .optional()
        .describe('Examples to score during training; without them the protocol sets some aside'),
      test: use(SOURCE).optional().describe('Examples for `attune evaluate`, never seen in training'),
    })
    .describe('Where examples come from'),
  cleaner: useAll(CLEANER).prefault([]).describe('Text cleaning, in training and in prediction; applied in order'),
  filter: useAll(FILTER).prefault([]).describe('Filters of training examples: duplicates, outliers; applied in order'),
  balancer: useAll(BALANCER).prefault([]).describe('Class balancing of the training examples; applied in order'),
  augmenter: useAll(AUGMENTER).prefault([]).describe('Augmentation of the training examples; applied in order'),
  sampler: use(SAMPLER).optional().describe('The order of the training examples; default: shuffled'),
  protocol: use(PROTOCOL)
    .prefault('holdout')
    .describe('How to set validation examples aside when data.validation is absent'),
  fold: z
    .int()
    .min(0)
    .max(100_000)
    .optional()
    .describe("The protocol's division to train on, counted from 0; default: the first"),
  tokenizer: use(TOKENIZER).describe('Text to ids'),
  model: use(MODEL).describe(
    'The architecture; `from: folder` starts from a saved model, `embeddings: file` from word vectors; `encoder: { use, from }` is a frozen one inside',
  ),
  objective: use(OBJECTIVE).describe('The task'),
  loss: useAll(LOSS).prefault([]).describe("The losses, added with their weights; default: the objective's own"),
  regularizer: useAll(REGULARIZER)
    .prefault([])
    .describe('Terms and transformations of the training loss; applied in order'),
  models: z
    .record(z.string().regex(/^[a-z][A-Za-z0-9]*$/), use(MODEL))
    .default({})
    .describe('Frozen models beside the one that trains, by name: `teacher: { use: bert, from: FOLDER }`'),
  reference: z
    .literal('start')
    .optional()
    .describe('`start`: keep the model as it is before training, for objectives that compare with it'),
  adapter: use(ADAPTER).prefault('full').describe('What trains'),
  engine: use(ENGINE)
    .prefault(AUTO)
    .describe('What computes; `auto` takes the most preferred of those installed that starts here'),
  optimizer: useAll(OPTIMIZER).prefault('adamw').describe('From gradients to updates; several form a chain'),
  scheduler: use(SCHEDULER).prefault('linear').describe('The learning rate over time'),
  schedule: z
    .record(z.string(), use(SCHEDULER))
    .default({})
    .describe('Options that change over time, by path: `objective.reversal: { use: linear, from: 0, to: 1 }`'),
  metric: useAll(METRIC).prefault([]).describe('Scores besides the loss'),
  callback: useAll(CALLBACK).prefault([]).describe('What acts on events: checkpoints, early stopping'),
  tracker: useAll(TRACKER).prefault([]).describe('What shows or keeps events'),
  saveAs: z
    .enum(['float32', 'float16'])
    .default('float32')
    .describe('How the saved model stores its weights; float16 halves the file, and rounds'),
  saveAdapter: z
    .boolean()
    .default(false)
    .describe(
      "Save the adapter alone too, in peft's layout, into the run's folder `adapter`; the saved model has it merged in",
    ),
  training: training.prefault({}).describe('The loop'),
})

/** A run's configuration as a user writes it. */
export type RunConfig = z.input<typeof runSchema>

/** A run's configuration, parsed: defaults filled in, plugins named but not yet looked up. */
export type ParsedConfig = z.output<typeof runSchema>

/** The numbers of the loop. */
export type TrainingSettings = ParsedConfig['training']

/** Examples that are computed at once. */
export const microBatchSizeOf = ({ batchSize, microBatchSize = batchSize }: TrainingSettings): number =>
  Math.min(batchSize, microBatchSize)

/** A plugin's place without the options that the run reads itself. */
export function without(named: Use, ...options: readonly string[]): Use {
  const rest = Object.entries(named.options).filter(([name]) => !options.includes(name))
  return { ...named, options: Object.fromEntries(rest) }
}
