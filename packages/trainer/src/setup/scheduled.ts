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
import { refined } from './common-options.js'
import { objectiveScope } from './objective-scope.js'

/** Kinds whose options may follow a schedule. */
const KINDS = ['model', 'objective', 'regularizer', 'optimizer'] as const
type ScheduledKind = (typeof KINDS)[number]

/** An option that follows a schedule: `regularizer.1.strength` is that of the second regularizer. */
interface Target {
  readonly path: string
  readonly kind: ScheduledKind
  readonly index: number
  readonly option: string
}

const chosenOf = (config: Plan['config'], kind: ScheduledKind): readonly Chosen[] => {
  const chosen: Chosen | readonly Chosen[] = config[kind]
  return Array.isArray(chosen) ? (chosen as readonly Chosen[]) : [chosen as Chosen]
}

/** @throws AttuneError `BAD_SCHEDULE` unless the path is that of an option that may follow a schedule */
function targetOf(path: string, config: Plan['config']): Target {
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
    `schedule: expected the path of an option that may follow a schedule, got "${path}"`,
    near.length > 0
      ? `Write ${near.map((name) => `"${name}"`).join(' or ')}.`
      : `Options of this configuration that may: ${known.join(', ') || 'none'}. The learning rate follows \`scheduler\`.`,
  )
}

/** The options of a configuration that follow a schedule. */
export const scheduleTargets = ({ config }: Pick<Plan, 'config'>): readonly Target[] =>
  Object.keys(config.schedule).map((path) => targetOf(path, config))

/** The value that a scheduler's factor stands for. */
export const scheduledValue = (
  scheduler: Scheduler,
  { from = 1, to = 0 }: { readonly from?: number; readonly to?: number },
  step: number,
  steps: number,
): number => to + (from - to) * scheduler(step, steps)

/** The values of all scheduled options at a step, by path. */
export function scheduleOf({ config }: Pick<Plan, 'config'>): (step: number, steps: number) => Record<string, number> {
  const entries = Object.entries(config.schedule).map(
    ([path, { plugin, options, common }]) => [path, plugin(options) as Scheduler, common ?? {}] as const,
  )
  return (step, steps) =>
    Object.fromEntries(entries.map(([path, at, common]) => [path, scheduledValue(at, common, step, steps)]))
}

/** Instances of a kind with the tensors of its scheduled options in the place of numbers. */
function instances<T>(
  scope: Scope,
  config: Plan['config'],
  kind: ScheduledKind,
  targets: readonly Target[],
  scheduled: Readonly<Record<string, Tensor>>,
): readonly T[] {
  const within = kind === 'objective' ? objectiveScope(scope) : scope
  return chosenOf(config, kind).map(({ plugin, options, common = {} }, i) => {
    const own = targets.filter((target) => target.kind === kind && target.index === i)
    const tensors = Object.fromEntries(own.map(({ option, path }) => [option, scheduled[path]]))
    return refined(kind, instantiate(within, plugin, { ...options, ...tensors }) as T, common)
  })
}

/** The plugin and the options of which a model is made, and the scope that it is made in. */
export interface ModelMaking extends Pick<Chosen, 'plugin' | 'options'> {
  readonly scope: Scope
}

/** The model of a configuration, whose scheduled options (dropout, say) take the values of the training step. */
export function scheduledModel(plan: Pick<Plan, 'config'>, how: () => ModelMaking, model: Model): Model {
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
 * A function that rebuilds the parts whose options follow a schedule, with the step's values: `create` is pure and cheap, and runs
 * while the step is traced. Undefined where nothing follows one.
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
    // A head's dropout is the model's: the objective is made on a model that has the step's.
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
