import { OBJECTIVE, type Scheduler, choosePlugins, closeScope, get, parseConfig } from '@attune/core'
import { EMPTY } from 'rxjs'
import { type RunOptions, userLookup } from '../plan/lookup.js'
import { planRun } from '../plan/plan.js'
import { type ParsedConfig, type RunConfig, runSchema } from '../plan/run-config.js'
import { countSteps } from '../setup/count-steps.js'
import { openComponents } from '../setup/open.js'
import { scheduleOf, scheduleTargets } from '../setup/scheduled.js'
import { trialPlan } from './open-trial.js'

/** Scheduled numbers of a run. */
export interface Schedules {
  /** Total number of optimizer steps. */
  readonly steps: number
  /** Values at a step, from 1: the learning rate under `learningRate`, other scheduled options by path. */
  readonly at: (step: number) => Readonly<Record<string, number>>
}

/** Configuration keys that schedules depend on; the other plugins are not loaded if the number of steps is given. */
const KEYS = ['scheduler', 'schedule', 'model', 'objective', 'loss', 'regularizer', 'optimizer'] as const

const pick = <K extends keyof ParsedConfig>(parsed: ParsedConfig, keys: readonly K[]): Pick<ParsedConfig, K> =>
  Object.fromEntries(keys.map((key) => [key, parsed[key]])) as unknown as Pick<ParsedConfig, K>

/** Counts the steps of a run as the run does, without loading its model. */
async function countRunSteps(config: RunConfig, options: RunOptions): Promise<number> {
  const plan = trialPlan(await planRun(config, options))
  const { splits, learned, scope } = await openComponents({
    plan,
    parent: options.scope,
    events: EMPTY,
    dataFolder: options.dataFolder,
  })
  try {
    return plan.config.training.epochs * (await countSteps({ plan, splits, learned }, get(scope, OBJECTIVE)))
  } finally {
    await closeScope(scope)
  }
}

/**
 * Computes the learning rate and the other scheduled options of a run at each step, without opening its model.
 * @param options `steps`: the number of steps. Default: counted as in the run, which fits its plugins on the training examples
 * @throws AttuneError with the mistakes in the configuration; `BAD_SCHEDULE`; the errors of the sources if steps are counted
 *
 * @example
 * ```ts
 * import { planSchedules } from '@attune/trainer/node'
 * const { at } = await planSchedules({
 *   data: { train: { use: 'jsonl', path: 'train.jsonl' } },
 *   tokenizer: 'word', model: 'mlp', objective: 'sequence-classification',
 *   scheduler: 'linear', training: { learningRate: 0.5 },
 * }, { steps: 4 })
 * console.log([1, 2, 3, 4].map((step) => at(step).learningRate)) // [ 0.5, 0.375, 0.25, 0.125 ]
 * ```
 */
export async function planSchedules(
  config: RunConfig,
  { steps: given, ...options }: RunOptions & { readonly steps?: number } = {},
): Promise<Schedules> {
  const parsed = parseConfig(runSchema, config, options.locate)
  const chosen = await choosePlugins(pick(parsed, KEYS), userLookup(options))
  scheduleTargets({ config: chosen })
  const { plugin, options: settings } = chosen.scheduler
  const [factor, others] = [plugin(settings) as Scheduler, scheduleOf({ config: chosen })]
  const steps = given ?? (await countRunSteps(config, options))
  return {
    steps,
    at: (step) => ({ learningRate: parsed.training.learningRate * factor(step, steps), ...others(step, steps) }),
  }
}
