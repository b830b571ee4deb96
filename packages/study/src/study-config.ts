import { PRUNER, TUNER, type Space, use } from '@attune/core'
import type { RunConfig } from '@attune/trainer/node'
import { z } from 'zod'

const scalar = z.union([z.string(), z.number(), z.boolean()])
const when = z
  .record(z.string(), scalar)
  .optional()
  .describe('Values of other hyperparameters under which this one exists; default: always')

const choices = z.strictObject({ choices: z.array(scalar).min(1).max(10_000), when })
const interval = z
  .strictObject({
    from: z.number(),
    to: z.number(),
    scale: z.enum(['linear', 'log']).default('linear'),
    integer: z.boolean().default(false),
    when,
  })
  .refine(({ from, to }) => from <= to, '`from` must not exceed `to`')
  .refine(({ from, scale }) => scale === 'linear' || from > 0, '`from` must be positive on a log scale')
  .refine(
    ({ from, to, integer }) => !integer || (Number.isSafeInteger(from) && Number.isSafeInteger(to)),
    '`from` and `to` of integers must be integers',
  )

const PATH = /^[A-Za-z][\w-]*(\.[A-Za-z0-9][\w-]*)*$/
/** A path of the configuration to its distribution. */
const spaceSchema = z
  .record(
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
  )
  .refine((space) => Object.keys(space).length > 0, 'expected at least one hyperparameter')

const goal = z.union([
  z.string().transform((score) => ({ score, direction: undefined })),
  z.strictObject({ score: z.string(), direction: z.enum(['maximize', 'minimize']).optional() }),
])

/** The schema of `study` in a configuration. */
export const studySchema = z.strictObject({
  tuner: use(TUNER).prefault('random').describe('How choices are made'),
  pruner: use(PRUNER).optional().describe('When a running trial is ended early; default: never'),
  space: spaceSchema.describe('Hyperparameters by their path in the configuration, and what they are chosen from'),
  trials: z.int().min(1).max(100_000).default(20).describe('The number of trials'),
  goals: z
    .union([z.array(goal).min(1), goal.transform((one) => [one])])
    .describe('The scores to optimize; several are optimized together, without weights'),
  parallel: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe('Trials that run at once, each in a process of its own; 1: in this process'),
  directory: z.string().describe('The folder of the study'),
  keepAll: z.boolean().default(false).describe('Keep the models and checkpoints of all trials, not of the best alone'),
  trackers: z.boolean().default(false).describe("Let trials use the configuration's trackers"),
})

/** The settings of a study, parsed: plugins named but not yet looked up. */
export type StudySettings = Omit<z.output<typeof studySchema>, 'space'> & { readonly space: Space }

/** A run's configuration with a study of it, as a user writes it. */
export type StudyConfig = RunConfig & { readonly study: z.input<typeof studySchema> }
