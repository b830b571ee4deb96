import {
  type Adapted,
  type Chosen,
  type Engine,
  type Model,
  type Objective,
  type Params,
  type Scope,
  createScope,
  get,
  MODEL,
  OBJECTIVE,
  provide,
  provideInstance,
} from '@attune/core'
import type { Plan } from '../plan/plan.js'
import type { Auxiliary } from '../step/loss-function.js'
import type { Components } from './compose.js'
import { savedParameters } from './weights.js'

/** Auxiliary models (teachers, reference) and their parameters, which are constants of the step. */
export interface AuxiliaryModels {
  readonly models: Readonly<Record<string, Auxiliary>>
  readonly own: Readonly<Record<string, Params>>
}

/** Copies parameters, so that they survive a step to which the originals are donated. */
const copied = async (engine: Engine, params: Params): Promise<Params> =>
  engine.put((await engine.read(params)) as never) as unknown as Params

/** A model and its parameters. */
interface Initial {
  readonly model: Model
  readonly params: Params
}

/**
 * The reference model: the model before training. Parameters that an adapter freezes are shared with the trained model; only the others
 * are copied.
 */
async function referenceOf({ engine, objective }: Components, { model, params: first }: Initial, { frozen }: Adapted) {
  const names = Object.keys(first)
  const changing = Object.fromEntries(Object.entries(first).filter(([name]) => frozen[name] !== first[name]))
  const auxiliary: Auxiliary = {
    model,
    objective,
    params: (shared, own) => Object.fromEntries(names.map((name) => [name, own[name] ?? shared[name]!])),
  }
  return { auxiliary, own: await copied(engine, changing) }
}

/** Loads a saved model with the head of the run's objective. If its checkpoint has no head, the head's parameters are omitted, and reading them fails. */
function savedModel(scope: Scope, { engine }: Components, objective: Chosen, chosen: Chosen, path: string) {
  const own = createScope(scope)
  provideInstance(own, MODEL, chosen.plugin(chosen.options) as Model)
  provide(own, objective.plugin, objective.options)
  const components = { engine, model: get(own, MODEL), objective: get(own, OBJECTIVE) as Objective }
  const { params, report } = savedParameters(components, path, { needHead: false })
  const missing = new Set(report.fresh)
  const auxiliary: Auxiliary = {
    model: components.model,
    objective: components.objective,
    params: (_, theirs) => theirs,
  }
  const whole = Object.fromEntries(Object.entries(params).filter(([name]) => !missing.has(name)))
  engine.release(Object.fromEntries(Object.entries(params).filter(([name]) => missing.has(name))))
  return { auxiliary, own: whole }
}

/**
 * Loads the auxiliary models of `models`, and creates the reference model if the configuration or the objective requires it.
 * @param first the initial model, before the adapter splits its parameters or with a saved adapter
 * @throws AttuneError `MISSING_WEIGHTS`, `SHAPE_MISMATCH`
 */
export async function auxiliaryModels(
  { config, auxiliary }: Plan,
  scope: Scope,
  components: Components,
  first: Initial,
  adapted: Adapted,
): Promise<AuxiliaryModels> {
  const entries = Object.entries(config.models).map(([name, chosen]) => {
    const loaded = savedModel(scope, components, config.objective, chosen, auxiliary[name]!)
    return [name, loaded] as const
  })
  if (config.reference === 'start' || components.objective.needsReference === true)
    entries.push(['reference', await referenceOf(components, first, adapted)])
  return {
    models: Object.fromEntries(entries.map(([name, each]) => [name, each.auxiliary])),
    own: Object.fromEntries(entries.map(([name, each]) => [name, each.own])),
  }
}
