import type { LayerHook, Params } from '@attune/core'

/** Under a symbol it is not a parameter, and goes where a record of parameters is spread. */
const HOOK = Symbol.for('attune/layer-hook')
type Carrying = Params & { readonly [HOOK]?: LayerHook }

/** The hook that these parameters carry, if they carry one. */
export const hookOf = (params: Params): LayerHook | undefined => (params as Carrying)[HOOK]

/** One hook around another. */
const around = (outer: LayerHook, inner: LayerHook): LayerHook =>
  Object.assign(
    ((site, x, compute) =>
      outer(site, x, (y, weight) => inner(site, y, (z, other) => compute(z, other ?? weight)))) satisfies LayerHook,
    { reads: [...(inner.reads ?? []), ...(outer.reads ?? [])] },
  )

/**
 * The parameters with a hook around every layer that reads them. It acts outside of a hook that they carry already. This is how an
 * adapter or a regularizer reaches the layers of a model that knows nothing of it.
 */
export function withHook(params: Params, hook: LayerHook | undefined): Params {
  if (hook === undefined) return params
  const inner = hookOf(params)
  return { ...params, [HOOK]: inner === undefined ? hook : around(hook, inner) } as Carrying
}
