import {
  ADAPTER,
  type AnyPlugin,
  type Chosen,
  ENGINE,
  type Kind,
  OPTIMIZER,
  type Optimizer,
  PROTOCOL,
  SCHEDULER,
  type Scope,
  TOKENIZER,
  definePlugin,
  get,
  getAll,
  isRecord,
} from '@attune/core'
import { chain } from '@attune/nn'
import { z } from 'zod'

/** Plugin name under which a run records what the application's scope provides. */
const NAME = 'given-by-scope'

const options = z.strictObject({})
const summary = 'Provided by the scope of the application'

/** Kinds with exactly one instance per run that an application may provide instead of the default. */
const ONE: readonly Kind<unknown, 'one'>[] = [ADAPTER, ENGINE, PROTOCOL, SCHEDULER, TOKENIZER]

/**
 * Proxy plugins for what an application's scope provides of the kinds that a configuration may omit. They replace the default in the
 * plan and in the run's record. Other kinds (metrics, callbacks, trackers) have no default: a run adds the scope's instances to its own.
 */
export function pluginsOf(scope: Scope | undefined): readonly AnyPlugin[] {
  if (scope === undefined) return []
  const provided = ONE.filter(({ token }) => scope.isRegistered(token, true)).map((kind): AnyPlugin =>
    definePlugin({ kind, name: NAME, summary, options, create: () => get(scope, kind) }),
  )
  if (!scope.isRegistered(OPTIMIZER.token, true)) return provided
  const create = (): Optimizer => chain(...getAll(scope, OPTIMIZER))
  return [...provided, definePlugin({ kind: OPTIMIZER, name: NAME, summary, options, create })]
}

/** True for a proxy plugin of {@link pluginsOf}, whose instance the run's scope inherits. */
export const isFromScope = ({ plugin }: Pick<Chosen, 'plugin'>): boolean => plugin.name === NAME

/** Fills the kinds that a configuration omits with the proxy plugins of a scope. */
export function withScope(config: unknown, scope: Scope | undefined): unknown {
  if (!isRecord(config)) return config
  return { ...Object.fromEntries(pluginsOf(scope).map((plugin) => [plugin.kind.name, plugin])), ...config }
}
