import type { LayerHook, Params } from '@attune/core'

/** Key of the hook. A symbol is not enumerated as a parameter, but is copied when a record of parameters is spread. */
const HOOK = Symbol.for('attune/layer-hook')
type Carrying = Params & { readonly [HOOK]?: LayerHook }

/** Returns the hook of these parameters, if any. */
export const hookOf = (params: Params): LayerHook | undefined => (params as Carrying)[HOOK]

/** Composes two hooks; `outer` wraps `inner`, if there is one. */
export function composeHooks(outer: LayerHook, inner: LayerHook | undefined): LayerHook {
  if (inner === undefined) return outer
  const both: LayerHook = (site, x, compute) =>
    outer(site, x, (y, weight) => inner(site, y, (z, other) => compute(z, other ?? weight)))
  const [around, within] = [outer.layer, inner.layer]
  const layer: LayerHook['layer'] =
    around && within ? (at, x, compute) => around(at, x, () => within(at, x, compute)) : (around ?? within)
  return Object.assign(both, { reads: [...(inner.reads ?? []), ...(outer.reads ?? [])], ...(layer && { layer }) })
}

/**
 * Returns the parameters with a hook around every layer that reads them, outside of any hook that they already carry.
 * Adapters and regularizers use it to change the layers of a model that does not know of them.
 */
export function withHook(params: Params, hook: LayerHook | undefined): Params {
  if (hook === undefined) return params
  return { ...params, [HOOK]: composeHooks(hook, hookOf(params)) } as Carrying
}

/** A hook that intercepts whole layers in training, around those of `inner`, if given. */
export const aroundLayers = (layer: NonNullable<LayerHook['layer']>, inner: LayerHook | undefined): LayerHook =>
  composeHooks(Object.assign(((_, x, compute) => compute(x)) as LayerHook, { layer }), inner)
