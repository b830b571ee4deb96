import type { Adapted, AdapterInput, FrozenEncoder, Params } from '@attune/core'
import type { Components } from './compose.js'
import { loadWeights, existingParameters } from './weights.js'

/** Splits parameters into those of the encoder, under their full names, and the others. */
function divide({ prefix }: FrozenEncoder, params: Params): { readonly inside: Params; readonly outside: Params } {
  const entries = Object.entries(params)
  return {
    inside: Object.fromEntries(entries.filter(([name]) => name.startsWith(prefix))),
    outside: Object.fromEntries(entries.filter(([name]) => !name.startsWith(prefix))),
  }
}

const renamed = (params: Params, rename: (name: string) => string): Params =>
  Object.fromEntries(Object.entries(params).map(([name, tensor]) => [rename(name), tensor]))

/** Pooler parameters of an encoder that are unused, because only its token states are read. */
function unusedPooler({ model, reads }: FrozenEncoder, params: Params): ReadonlySet<string> {
  const prefixes = model.layers.find(({ name }) => name === 'pooler')?.prefixes ?? []
  const isPooler = (name: string): boolean => prefixes.some((prefix) => name.startsWith(prefix))
  return new Set(reads === 'pooled' ? [] : Object.keys(params).filter(isPooler))
}

/** Replaces the encoder's parameters with those of its own checkpoint. @throws the errors of `loadWeights` */
export function loadEncoder(
  { engine, model }: Pick<Components, 'engine' | 'model'>,
  params: Params,
  path: string,
): Params {
  const encoder = model.encoder as FrozenEncoder
  const { inside, outside } = divide(encoder, params)
  const own = renamed(inside, (name) => name.slice(encoder.prefix.length))
  const loading = {
    prefix: encoder.model.prefix,
    needHead: encoder.reads === 'pooled',
    optional: unusedPooler(encoder, own),
  }
  const loaded = loadWeights(engine, existingParameters(engine, own), path, loading)
  return { ...outside, ...renamed(loaded.params, (name) => encoder.prefix + name) }
}

/** Applies an adapter to all parameters except those of the encoder, which stay frozen. */
export async function adaptAround(
  { adapter, model }: Pick<Components, 'adapter' | 'model'>,
  params: Params,
  input: AdapterInput,
): Promise<Adapted> {
  const { encoder } = model
  if (encoder === undefined) return adapter.adapt(model, params, input)
  const { inside, outside } = divide(encoder, params)
  const adapted = await adapter.adapt(model, outside, input)
  const { merge } = adapted
  const frozen = { ...adapted.frozen, ...inside }
  if (merge === undefined) return { ...adapted, frozen }
  return {
    ...adapted,
    frozen,
    merge(trained, all) {
      const parts = divide(encoder, all)
      return { ...merge(trained, parts.outside), ...parts.inside }
    },
  }
}
