import 'reflect-metadata'
import { type DependencyContainer, container as root } from 'tsyringe'
import type { z } from 'zod'
import { AttuneError } from './error.js'
import type { Kind, OptionsSchema } from './kind.js'
import { type Injected, type Needs, type Plugin, parseOptions, titleOf } from './plugin.js'

/** A tsyringe container of the plugins of an application or a run. */
export type Scope = DependencyContainer

const PARENT = Symbol.for('attune/parent-scope')
const CLOSERS = Symbol.for('attune/closers')
const REQUESTERS = Symbol.for('attune/requesters')

/**
 * Creates a scope: of an application, or, given a parent, of one run. A child scope inherits the plugins of its parent and may
 * replace them.
 *
 * @example
 * ```ts
 * import { RANDOMNESS, createScope, get, key, provideInstance } from '@attune/core'
 * const app = createScope()
 * provideInstance(app, RANDOMNESS, key(1))
 * const run = createScope(app)
 * provideInstance(run, RANDOMNESS, key(2))
 * console.log(get(app, RANDOMNESS), get(run, RANDOMNESS)) // [ 0, 1 ] [ 0, 2 ]
 * ```
 */
export function createScope(parent?: Scope): Scope {
  const scope = (parent ?? root).createChildContainer()
  if (parent !== undefined) scope.register(PARENT, { useValue: parent })
  if (!scope.isRegistered(REQUESTERS, true)) scope.register(REQUESTERS, { useValue: [] })
  scope.register(CLOSERS, { useValue: [] })
  return scope
}

/**
 * Returns the stack of scopes that are resolving now, innermost last. `resolveAll` of tsyringe resolves a parent's registrations
 * in the parent, but a plugin with dependencies must be created for the requesting scope.
 */
const requestersOf = (scope: Scope): Scope[] => scope.resolve<Scope[]>(REQUESTERS)

function requesting<R>(scope: Scope, work: () => R): R {
  const requesters = requestersOf(scope)
  requesters.push(scope)
  try {
    return work()
  } finally {
    requesters.pop()
  }
}

const closersOf = (scope: Scope): (() => unknown)[] => scope.resolve<(() => unknown)[]>(CLOSERS)

/** Closes all instances of this scope that have a `close` method (engines, files, databases), in reverse order of creation. */
export async function closeScope(scope: Scope): Promise<void> {
  const closers = closersOf(scope)
  while (closers.length > 0) await closers.pop()?.()
}

/** Throws if a kind of arity `one` is already provided in this scope itself. A child scope may replace it. */
function rejectSecond(scope: Scope, kind: Kind<unknown>, title: string): void {
  if (kind.arity !== 'one' || !scope.isRegistered(kind.token)) return
  throw new AttuneError(
    'ALREADY_PROVIDED',
    `${title}: expected at most one ${kind.name} in a scope, got a second one`,
    `Provide only one ${kind.name}, or replace it in a child scope: createScope(parent).`,
  )
}

/**
 * Registers a plugin with its options under its kind. The options are validated now; the instance is created on first request.
 * A plugin with dependencies gets one instance per requesting scope, injected from that scope; a plugin without dependencies
 * gets a single instance.
 * @param refine applies the options common to the kind: the weight of a loss, the task of a metric
 * @throws AttuneError `BAD_OPTIONS`; `ALREADY_PROVIDED` for a second plugin of a kind of arity `one`.
 *
 * @example
 * ```ts
 * import { SCHEDULER, createScope, get, provide } from '@attune/core'
 * import cosine from '@attune/scheduler-cosine'
 * const run = createScope()
 * provide(run, cosine)
 * console.log(get(run, SCHEDULER)(1, 100)) // 1
 * ```
 */
export function provide<T, S extends OptionsSchema, N extends Needs>(
  scope: Scope,
  plugin: Plugin<T, S, N>,
  options?: z.input<S>,
  refine: (instance: T) => T = (instance) => instance,
): void {
  rejectSecond(scope, plugin.kind, titleOf(plugin))
  const create = (requester: Scope): T => {
    const instance = refine(instantiate(requester, plugin, options))
    const close = (instance as { close?: () => unknown } | undefined)?.close
    if (typeof close === 'function') closersOf(requester).push(() => close.call(instance))
    return instance
  }
  const instances = new Map<Scope, T>()
  const factory = (container: Scope): T => {
    const requester = plugin.needs === undefined ? scope : (requestersOf(scope).at(-1) ?? container)
    if (!instances.has(requester)) {
      instances.set(requester, create(requester))
      closersOf(requester).push(() => instances.delete(requester))
    }
    return instances.get(requester) as T
  }
  parseOptions(plugin, options)
  scope.register(plugin.kind.token, { useFactory: factory })
}

/**
 * Creates an instance of a plugin with dependencies injected from a scope, without registering it.
 * @throws AttuneError `BAD_OPTIONS`; `NOTHING_PROVIDED` for a missing dependency
 *
 * @example
 * ```ts
 * import { createScope, instantiate } from '@attune/core'
 * import linear from '@attune/scheduler-linear'
 * const schedule = instantiate(createScope(), linear)
 * console.log(schedule(1, 4), schedule(3, 4)) // 1 0.5
 * ```
 */
export function instantiate<T, S extends OptionsSchema, N extends Needs>(
  scope: Scope,
  plugin: Plugin<T, S, N>,
  options?: unknown,
): T {
  const create = plugin as unknown as (options: unknown, dependencies: Injected<N>) => T
  const dependencies = Object.entries(plugin.needs ?? {}).map(([name, needed]) => [name, getNeeded(scope, needed)])
  return create(options, Object.fromEntries(dependencies) as Injected<N>)
}

/** Registers an existing instance (a loaded model, a test double). */
export function provideInstance<T>(scope: Scope, kind: Kind<T>, instance: T): void {
  rejectSecond(scope, kind, `${kind.name} (an instance)`)
  scope.register(kind.token, { useValue: instance })
}

const getNeeded = (scope: Scope, needed: Kind<unknown>): unknown =>
  needed.arity === 'one' ? get(scope, needed) : getAll(scope, needed)

/**
 * Returns the instance of a kind of arity `one`.
 * @throws AttuneError `NOTHING_PROVIDED` if neither this scope nor a parent provides one.
 */
export function get<T>(scope: Scope, kind: Kind<T>): T {
  if (scope.isRegistered(kind.token, true)) return requesting(scope, () => scope.resolve<T>(kind.token))
  throw new AttuneError(
    'NOTHING_PROVIDED',
    `expected a ${kind.name} in this scope, got none`,
    `Call provide(scope, <a ${kind.name} plugin>), or add one to the configuration: "${kind.name}: { use: … }".`,
  )
}

/**
 * Returns all instances of a kind: first those of the parent scopes, then those of this scope, each in registration order.
 *
 * @example
 * ```ts
 * import { METRIC, createScope, getAll, provide } from '@attune/core'
 * import accuracy from '@attune/metric-accuracy'
 * const run = createScope()
 * provide(run, accuracy)
 * console.log(getAll(run, METRIC).map(({ name }) => name)) // [ 'accuracy' ]
 * ```
 */
export function getAll<T>(scope: Scope, kind: Kind<T>): readonly T[] {
  const provided = (at: Scope): readonly T[] => {
    const inherited = at.isRegistered(PARENT) ? provided(at.resolve<Scope>(PARENT)) : []
    return at.isRegistered(kind.token) ? [...inherited, ...at.resolveAll<T>(kind.token)] : inherited
  }
  return requesting(scope, () => provided(scope))
}
