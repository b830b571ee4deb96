import { ADAPTER, MODEL, type Scope, createScope, get, provideInstance } from '@attune/core'

/** Creates the scope of a training run's objectives, whose model is the one described by the adapter. */
export function objectiveScope(scope: Scope): Scope {
  const described = get(scope, ADAPTER).describe?.(get(scope, MODEL))
  if (described === undefined) return scope
  const own = createScope(scope)
  provideInstance(own, MODEL, described)
  return own
}
