import { PRUNER, TUNER, type Space, use } from '@attune/core'
import { type RunConfig, recordOf } from '@attune/trainer/node'
import { z } from 'zod'

const scalar = z.union([z.string(), z.number(), z.boolean()])
const when = recordOf(z.string(), scalar)
  .optional()
  .describe('Condition: values of other hyperparameters under which this one is active. Default: always')

const choices = z.strictObject({
  choices: z.array(scalar).min(1).max(10_000).describe('Values to choose from'),
  when,
})
const interval = z
  .strictObject({
    from: z.number().describe('Lower bound of an interval'),
    to: z.number().describe('Upper bound of an interval'),
    scale: z.enum(['linear', 'log']).default('linear').describe('Scale on which an interval is sampled uniformly'),
    integer: z.boolean().default(false).describe('Restrict an interval to integers'),
    when,
  })
  .refine(({ from, to }) => from <= to, '`from` must not exceed `to`')
  .refine(({ from, scale }) => scale === 'linear' || from > 0, '`from` must be positive on a log scale')
  .refine(
    ({ from, to, integer }) => !integer || (Number.isSafeInteger(from) && Number.isSafeInteger(to)),
    '`from` and `to` of integers must be integers',
  )

const PATH = /^[A-Za-z][\w-]*(\.[A-Za-z0-9][\w-]*)*$/
/** Distributions by configuration path. */
const spaceSchema = recordOf(
  z.string().regex(PATH),
  z.union(
    [
      choices,
      z
        .array(scalar)
        .min(1)
        .transform((values) => ({ choices: values })),
      interval,
    ],
    {
      error: 'expected a list of values, `{ choices: […] }` or `{ from, to, scale, integer }`',
    },
  ),
).refine((space) => Object.keys(space).length > 0, 'expected at least one hyperparameter')

const goal = z.union([
  z.string().transform((score) => ({ score, direction: undefined })),
  z.strictObject({
    score: z.string().describe('Name of the score'),
    direction: z
      .enum(['maximize', 'minimize'])
      .optional()
      .describe('Direction of optimization. Default: the direction of the metric'),
  }),
])

/** Schema of `study` in a configuration. */
export const studySchema = z.strictObject({
  tuner: use(TUNER).prefault('random').describe('Tuner (search algorithm) that suggests hyperparameters'),
  pruner: use(PRUNER).optional().describe('Pruner (early stopping of unpromising trials). Default: none'),
  space: spaceSchema.describe('Search space: distributions of hyperparameters by their path in the configuration'),
  trials: z.int().min(1).max(100_000).default(20).describe('Number of trials'),
  goals: z
    .union([z.array(goal).min(1), goal.transform((one) => [one])])
    .describe('Scores to optimize. Several are optimized jointly, without weights (multi-objective)'),
  parallel: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe('Number of trials to run in parallel, each in a child process. 1: in this process'),
  directory: z.string().describe('Folder of the study'),
  keepAll: z
    .boolean()
    .default(false)
    .describe('Keep the models and checkpoints of all trials instead of only the best'),
  trackers: z.boolean().default(false).describe("Use the configuration's trackers in trials"),
})

/** Parsed settings of a study; its plugins are not yet resolved. */
export type StudySettings = Omit<z.output<typeof studySchema>, 'space'> & { readonly space: Space }

/** A run configuration with `study` settings, as the user writes it. */
export type StudyConfig = RunConfig & { readonly study: z.input<typeof studySchema> }
