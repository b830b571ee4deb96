import { type Adapter, AttuneError, type Engine, type HostArray, type Params, type SavedAdapter } from '@attune/core'
import type { BaseModel } from './base-model.js'
import { changedWeights } from './changed-weights.js'

type Arrays = Readonly<Record<string, HostArray>>

/** Maximum difference, relative to the maximum weight, that the rounding of a merge in float32 explains. */
const TOLERANCE = 2 ** -18

/** A merged model and the adapter to subtract from it. */
interface Merged {
  readonly engine: Engine
  readonly base: BaseModel
  readonly params: Params
  readonly adapter: Adapter
  readonly saved: SavedAdapter
  readonly plugin: string
}

const maximum = (values: HostArray['values']): number => {
  let most = 0
  for (const value of values) most = Math.max(most, Math.abs(value))
  return most
}

const difference = (a: HostArray, b: HostArray): HostArray => ({
  ...a,
  values: Float32Array.from(a.values, (x, i) => x - b.values[i]!),
})

const readFrom = async (engine: Engine, params: Params): Promise<Arrays> =>
  (await engine.read(params)) as unknown as Arrays

/** The tensors of `params` with these names. */
const chosen = (params: Params, names: readonly string[]): Params =>
  Object.fromEntries(names.map((name) => [name, params[name]!]))

/** Compares a weight with itself after subtraction and merge. @returns the maximum difference */
function requireInverse(
  plugin: string,
  name: string,
  { from, twice, again }: Readonly<Record<'from' | 'twice' | 'again', HostArray>>,
): number {
  const deviation = maximum(difference(from, again).values)
  if (deviation <= TOLERANCE * Math.max(maximum(from.values), maximum(twice.values))) return deviation
  throw new AttuneError(
    'BAD_ADAPTER',
    `adapter ${plugin} cannot be subtracted: merged again, ${name} differs by up to ${deviation.toPrecision(3)}. Its update depends on the weights, or its head is not that of this model`,
    'Use the base model that the adapter was trained on (`base_model_name_or_path` in its adapter_config.json).',
  )
}

/**
 * Weights without the update of an adapter, `W − (merge(W) − W)`. Merges the adapter into them again, to verify that this returns `W`.
 * @returns the changed weights, and the maximum difference of that verification
 * @throws AttuneError `BAD_ADAPTER`
 */
export async function subtracted({ engine, base, params, adapter, saved, plugin }: Merged) {
  const merged = async (all: Params): Promise<Params> =>
    changedWeights(engine, await adapter.adapt(base.model, all, { saved }), all)
  const twice = await readFrom(engine, await merged(params))
  const names = Object.keys(twice)
  const once = await readFrom(engine, chosen(params, names))
  const update = (name: string): HostArray => difference(twice[name]!, once[name]!)
  const before = engine.put(
    Object.fromEntries(names.map((name) => [name, difference(once[name]!, update(name))])),
  ) as Params
  const again = await readFrom(engine, await merged({ ...params, ...before }))
  const deviations = names.map((name) =>
    requireInverse(plugin, name, { from: once[name]!, twice: twice[name]!, again: again[name]! }),
  )
  return { params: before, deviation: Math.max(0, ...deviations) }
}
