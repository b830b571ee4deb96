import {
  AttuneError,
  type Chosen,
  MODEL,
  type Model,
  type Objective,
  type Optimizer,
  type Regularizer,
  type Scheduler,
  type Scope,
  createScope,
  get,
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
const KINDS = ['model', 'objective', 'regularizer', 'optimizer'] as const
type ScheduledKind = (typeof KINDS)[number]

/** A scheduled option; `regularizer.1.strength` belongs to the second regularizer. */
interface Target {
  readonly path: string
  readonly kind: ScheduledKind
  readonly index: number
  readonly option: string
}

/** Plan with the keys that schedules depend on. */
export interface SchedulePlan {
  readonly config: Pick<Plan['config'], 'schedule' | ScheduledKind>
}

const chosenOf = (config: Pick<Plan['config'], ScheduledKind>, kind: ScheduledKind): readonly Chosen[] => {
  const chosen: Chosen | readonly Chosen[] = config[kind]
  return Array.isArray(chosen) ? (chosen as readonly Chosen[]) : [chosen as Chosen]
}

/** @throws AttuneError `BAD_SCHEDULE` unless the path names an option that can be scheduled */
function targetOf(path: string, config: SchedulePlan['config']): Target {
  const parts = path.split('.')
  const [kind, second] = parts
  const option = parts.at(-1) ?? ''
  const index = parts.length === 3 ? Number(second) : 0
  const known = KINDS.flatMap((each) =>
    chosenOf(config, each).flatMap(({ plugin }, i, all) =>
      scheduledOptions(plugin).map((name) => (all.length > 1 ? `${each}.${i}.${name}` : `${each}.${name}`)),
    ),
  )
  const found = KINDS.find((each) => each === kind)
  const chosen = found === undefined ? undefined : chosenOf(config, found)[index]
  if (found !== undefined && chosen !== undefined && scheduledOptions(chosen.plugin).includes(option))
    return { path, kind: found, index, option }
  const near = nearest(path, known)
  throw new AttuneError(
    'BAD_SCHEDULE',
    `schedule: expected the path of an option that can be scheduled, got "${path}"`,
    near.length > 0
      ? `Write ${near.map((name) => `"${name}"`).join(' or ')}.`
      : `Use one of the options of this configuration that can be scheduled: ${known.join(', ') || 'none'}. The learning rate follows \`scheduler\`.`,
  )
}

/** Scheduled options of a configuration. */
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

/** Creates the instances of a kind with tensors as the values of their scheduled options. */
function instances<T>(
  scope: Scope,
  config: Plan['config'],
  kind: ScheduledKind,
  targets: readonly Target[],
  scheduled: Readonly<Record<string, Tensor>>,
): readonly T[] {
  const within =
    kind === 'objective' ? objectiveScope(scope, config.adapter.common?.['from'] as string | undefined) : scope
  return chosenOf(config, kind).map(({ plugin, options, common = {} }, i) => {
    const own = targets.filter((target) => target.kind === kind && target.index === i)
    const tensors = Object.fromEntries(own.map(({ option, path }) => [option, scheduled[path]]))
    return withCommonOptions(kind, instantiate(within, plugin, { ...options, ...tensors }) as T, common)
  })
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
 * while the step is traced. Undefined if nothing is scheduled.
 */
export function rebuilder(
  plan: Pick<Plan, 'config'>,
  scope: Scope,
  chained: (links: readonly Optimizer[]) => Optimizer,
): ((scheduled: Readonly<Record<string, Tensor>>) => Rebuilt) | undefined {
  const targets = scheduleTargets(plan)
  const follows = (...kinds: ScheduledKind[]): boolean => targets.some(({ kind }) => kinds.includes(kind))
  if (targets.length === 0) return undefined
  const { config } = plan
  return (scheduled) => {
    const made = <T>(kind: ScheduledKind, from = scope): readonly T[] =>
      instances<T>(from, config, kind, targets, scheduled)
    // The head uses the model's dropout, so the objective is created on a model with the step's value.
    const modelScope = (): Scope => {
      const own = createScope(scope)
      const { headDropout } = made<Model>('model')[0]!
      provideInstance(own, MODEL, { ...get(scope, MODEL), headDropout })
      return own
    }
    return {
      ...(follows('objective', 'model')
        ? { objective: made<Objective>('objective', follows('model') ? modelScope() : scope)[0]! }
        : {}),
      ...(follows('regularizer') ? { regularizers: made<Regularizer>('regularizer') } : {}),
      ...(follows('optimizer') ? { optimizer: chained(made<Optimizer>('optimizer')) } : {}),
    }
  }
}
