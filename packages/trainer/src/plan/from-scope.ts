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

/** The name in a run's record of what the application's scope provides. */
const NAME = 'given-by-scope'

const options = z.strictObject({})
const summary = 'Whatever the scope of the application provides'

/** Kinds of which a run takes one, by default or by its configuration, and that an application may provide instead. */
const ONE: readonly Kind<unknown, 'one'>[] = [ADAPTER, ENGINE, PROTOCOL, SCHEDULER, TOKENIZER]

/**
 * Stand-ins for what an application's scope provides of the kinds that a configuration may leave out: they keep the place of the
 * default in the plan and in the run's record. Other kinds (metrics, callbacks, trackers) have no default: a run sees what the scope
 * provides of them besides its own.
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

/** True for a stand-in of {@link pluginsOf}: the run's scope inherits what it stands for. */
export const isFromScope = ({ plugin }: Pick<Chosen, 'plugin'>): boolean => plugin.name === NAME

/** A configuration with the stand-ins in the place of the kinds that it leaves out. */
export function withScope(config: unknown, scope: Scope | undefined): unknown {
  if (!isRecord(config)) return config
  return { ...Object.fromEntries(pluginsOf(scope).map((plugin) => [plugin.kind.name, plugin])), ...config }
}
