import { ADAPTER, MODEL, type Scope, createScope, get, provideInstance } from '@attune/core'

/** The scope in which objectives of a run that trains are made: its model is as the adapter describes it. */
export function objectiveScope(scope: Scope): Scope {
  const described = get(scope, ADAPTER).describe?.(get(scope, MODEL))
  if (described === undefined) return scope
  const own = createScope(scope)
  provideInstance(own, MODEL, described)
  return own
}
