import {
  AttuneError,
  type Chosen,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  type Objective,
  type Optimizer,
  type Regularizer,
  type ScheduledNumbers,
  type Scheduler,
  type Scope,
  createScope,
  get,
  getAll,
  instantiate,
  nearest,
  provideInstance,
  scheduledOptions,
} from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Plan } from '../plan/plan.js'
import type { Rebuilt } from '../step/loss-function.js'
import { withCommonOptions } from './common-options.js'
import { objectiveScope } from './objective-scope.js'

/** Kinds with options that may be scheduled. */
const KINDS = ['model', 'objective', 'loss', 'regularizer', 'optimizer'] as const
type ScheduledKind = (typeof KINDS)[number]

/** A scheduled option; `regularizer.1.strength` belongs to the second regularizer. */
interface Target {
  readonly path: string
  readonly kind: ScheduledKind
  readonly index: number
  readonly option: string
  /** True if `collate` of the objective reads the option, on the host. */
  readonly isCollation: boolean
}

/** Plan with the keys that schedules depend on. */
export interface SchedulePlan {
  readonly config: Pick<Plan['config'], 'schedule' | ScheduledKind>
}

const chosenOf = (config: Pick<Plan['config'], ScheduledKind>, kind: ScheduledKind): readonly Chosen[] => {
  const chosen: Chosen | readonly Chosen[] = config[kind]
  return Array.isArray(chosen) ? (chosen as readonly Chosen[]) : [chosen as Chosen]
}

/** Options of a plugin that can be scheduled, and those common to its kind. */
const optionsOf = ({ plugin }: Chosen, ...by: [string[]?]): readonly string[] => [
  ...scheduledOptions(plugin, ...by),
  ...(plugin.kind.options === undefined ? [] : scheduledOptions({ options: plugin.kind.options }, ...by)),
]

/** @throws AttuneError `BAD_SCHEDULE` unless the path names an option that can be scheduled */
function targetOf(path: string, config: SchedulePlan['config']): Target {
  const parts = path.split('.')
  const [kind, second] = parts
  const option = parts.at(-1) ?? ''
  const index = parts.length === 3 ? Number(second) : 0
  const known = KINDS.flatMap((each) =>
    chosenOf(config, each).flatMap((chosen, i, all) =>
      optionsOf(chosen).map((name) => (all.length > 1 ? `${each}.${i}.${name}` : `${each}.${name}`)),
    ),
  )
  const found = KINDS.find((each) => each === kind)
  const chosen = found === undefined ? undefined : chosenOf(config, found)[index]
  if (found !== undefined && chosen !== undefined && optionsOf(chosen).includes(option))
    return { path, kind: found, index, option, isCollation: optionsOf(chosen, ['collation']).includes(option) }
  const near = nearest(path, known)
  throw new AttuneError(
    'BAD_SCHEDULE',
    `schedule: expected the path of an option that can be scheduled, got "${path}"`,
    near.length > 0
      ? `Write ${near.map((name) => `"${name}"`).join(' or ')}.`
      : `Use one of the options of this configuration that can be scheduled: ${known.join(', ') || 'none'}. The learning rate follows \`scheduler\`.`,
  )
}

/** Scheduled options of a configuration. @throws AttuneError `BAD_SCHEDULE` */
export const scheduleTargets = ({ config }: SchedulePlan): readonly Target[] =>
  Object.keys(config.schedule).map((path) => targetOf(path, config))

/** Interpolates an option's value by a scheduler's factor. */
export const scheduledValue = (
  scheduler: Scheduler,
  { from = 1, to = 0 }: { readonly from?: number; readonly to?: number },
  step: number,
  steps: number,
): number => to + (from - to) * scheduler(step, steps)

/** Returns a function that computes all scheduled options at a step, by path. */
export function scheduleOf({
  config,
}: {
  readonly config: Pick<Plan['config'], 'schedule'>
}): (step: number, steps: number) => Record<string, number> {
  const entries = Object.entries(config.schedule).map(
    ([path, { plugin, options, common }]) => [path, plugin(options) as Scheduler, common ?? {}] as const,
  )
  return (step, steps) =>
    Object.fromEntries(entries.map(([path, at, common]) => [path, scheduledValue(at, common, step, steps)]))
}

/**
 * Returns a function of a step and the number of steps that computes the scheduled options of collation, with their maximum over all
 * steps; undefined if there are none.
 */
export function collationNumbers(plan: SchedulePlan, steps: number): ((step: number) => ScheduledNumbers) | undefined {
  const targets = scheduleTargets(plan).filter(({ isCollation }) => isCollation)
  if (targets.length === 0) return undefined
  const valuesAt = scheduleOf(plan)
  const maxima: Record<string, number> = {}
  for (let step = 1; step <= steps; step++)
    for (const [path, value] of Object.entries(valuesAt(step, steps)))
      maxima[path] = Math.max(value, maxima[path] ?? -Infinity)
  return (step) => {
    const values = valuesAt(Math.min(step, steps), steps)
    return Object.fromEntries(
      targets.map(({ option, path }) => [option, { value: values[path]!, maximum: maxima[path]! }]),
    )
  }
}

/** Creates the instances of a kind with tensors as the values of their scheduled options. */
function instances<T>(
  create: (chosen: Chosen) => unknown,
  config: Plan['config'],
  kind: ScheduledKind,
  targets: readonly Target[],
  scheduled: Readonly<Record<string, Tensor>>,
): readonly T[] {
  return chosenOf(config, kind).map((chosen, i) => {
    const { plugin, options, common = {} } = chosen
    const own = targets.filter((target) => target.kind === kind && target.index === i)
    const tensors = (isOwn: boolean) =>
      Object.fromEntries(
        own
          .filter(({ option }) => Object.hasOwn(plugin.options.shape, option) === isOwn)
          .map(({ option, path }) => [option, scheduled[path]]),
      )
    const instance = create({ ...chosen, options: { ...options, ...tensors(true) } }) as T
    return withCommonOptions(kind, instance, { ...common, ...tensors(false) })
  })
}

/** Creates an objective with dependencies from a scope, and with other losses in place of the run's. */
function objectiveWith(scope: Scope, { plugin, options }: Chosen, losses: readonly LossTerm[]): unknown {
  const inherited = getAll(scope, LOSS).slice(0, -losses.length) // the application's losses come first
  const needed = Object.entries(plugin.needs ?? {}).map(([name, need]) => {
    if (need.token === LOSS.token) return [name, [...inherited, ...losses]]
    return [name, need.arity === 'one' ? get(scope, need) : getAll(scope, need)]
  })
  return plugin(options, Object.fromEntries(needed))
}

/** Inputs for creating a model: plugin, options and scope. */
export interface ModelInputs extends Pick<Chosen, 'plugin' | 'options'> {
  readonly scope: Scope
}

/** Wraps a model so that its scheduled options (such as dropout) use the values of the training step. */
export function scheduledModel(plan: Pick<Plan, 'config'>, how: () => ModelInputs, model: Model): Model {
  const targets = scheduleTargets(plan).filter(({ kind }) => kind === 'model')
  if (targets.length === 0) return model
  const { scope, plugin, options } = how()
  return {
    ...model,
    forward(params, inputs, mode) {
      const { scheduled } = mode
      if (!mode.training || scheduled === undefined) return model.forward(params, inputs, mode)
      const tensors = Object.fromEntries(targets.map(({ option, path }) => [option, scheduled[path]]))
      return (instantiate(scope, plugin, { ...options, ...tensors }) as Model).forward(params, inputs, mode)
    },
  }
}

/**
 * Returns a function that rebuilds the components with scheduled options from the step's values. `create` is pure and cheap, and runs
 * while the step is traced. Undefined if nothing is scheduled that a step reads.
 */
export function rebuilder(
  plan: Pick<Plan, 'config'>,
  scope: Scope,
  chained: (links: readonly Optimizer[]) => Optimizer,
): ((scheduled: Readonly<Record<string, Tensor>>) => Rebuilt) | undefined {
  const targets = scheduleTargets(plan).filter(({ isCollation }) => !isCollation)
  const follows = (...kinds: ScheduledKind[]): boolean => targets.some(({ kind }) => kinds.includes(kind))
  if (targets.length === 0) return undefined
  const { config } = plan
  return (scheduled) => {
    const inScope = ({ plugin, options }: Chosen): unknown => instantiate(scope, plugin, options)
    const made = <T>(kind: ScheduledKind, create = inScope): readonly T[] =>
      instances<T>(create, config, kind, targets, scheduled)
    // The head uses the model's dropout, so the objective is created on a model with the step's value.
    const modelScope = (): Scope => {
      const own = createScope(scope)
      const { headDropout } = made<Model>('model')[0]!
      provideInstance(own, MODEL, { ...get(scope, MODEL), headDropout })
      return own
    }
    const objective = (): Objective => {
      const saved = config.adapter.common?.['from'] as string | undefined
      const within = objectiveScope(follows('model') ? modelScope() : scope, saved)
      const create = (chosen: Chosen): unknown =>
        follows('loss')
          ? objectiveWith(within, chosen, made<LossTerm>('loss'))
          : instantiate(within, chosen.plugin, chosen.options)
      return made<Objective>('objective', create)[0]!
    }
    return {
      ...(follows('objective', 'model', 'loss') ? { objective: objective() } : {}),
      ...(follows('regularizer') ? { regularizers: made<Regularizer>('regularizer') } : {}),
      ...(follows('optimizer') ? { optimizer: chained(made<Optimizer>('optimizer')) } : {}),
    }
  }
}
