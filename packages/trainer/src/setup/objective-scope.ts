import { ADAPTER, MODEL, type Scope, createScope, get, provideInstance } from '@attune/core'
import { adapterConfig } from '../files/saved-adapter.js'

/**
 * Creates the scope of the objective on an adapted model, whose model is the one described by the adapter.
 * @param saved folder of the saved adapter; default: none
 */
export function objectiveScope(scope: Scope, saved?: string): Scope {
  const adapter = get(scope, ADAPTER)
  if (adapter.describe === undefined) return scope
  const described = adapter.describe(get(scope, MODEL), saved === undefined ? undefined : adapterConfig(saved))
  const own = createScope(scope)
  provideInstance(own, MODEL, described)
  return own
}
