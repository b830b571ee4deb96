import 'reflect-metadata'
import { type DependencyContainer, container as root } from 'tsyringe'
import type { z } from 'zod'
import { AttuneError } from './error.js'
import type { Kind, OptionsSchema } from './kind.js'
import { type Injected, type Needs, type Plugin, parseOptions, titleOf } from './plugin.js'

/** A tsyringe container that holds an application's or a run's plugins. */
export type Scope = DependencyContainer

const PARENT = Symbol.for('attune/parent-scope')
const CLOSERS = Symbol.for('attune/closers')
const ASKERS = Symbol.for('attune/askers')

/** Makes the scope of an application, or, given a parent, that of one run: what the parent provides is seen in it. */
export function createScope(parent?: Scope): Scope {
  const scope = (parent ?? root).createChildContainer()
  if (parent !== undefined) scope.register(PARENT, { useValue: parent })
  if (!scope.isRegistered(ASKERS, true)) scope.register(ASKERS, { useValue: [] })
  scope.register(CLOSERS, { useValue: [] })
  return scope
}

/**
 * The scopes that are asking now, the innermost last. tsyringe resolves what a parent provides in the parent when it
 * lists several; a plugin that needs something of the run must be made for the scope that asked.
 */
const askersOf = (scope: Scope): Scope[] => scope.resolve<Scope[]>(ASKERS)

function asking<R>(scope: Scope, work: () => R): R {
  const askers = askersOf(scope)
  askers.push(scope)
  try {
    return work()
  } finally {
    askers.pop()
  }
}

const closersOf = (scope: Scope): (() => unknown)[] => scope.resolve<(() => unknown)[]>(CLOSERS)

/** Closes, last made first, whatever was made in this scope and has a `close` method (engines, files, databases). */
export async function closeScope(scope: Scope): Promise<void> {
  const closers = closersOf(scope)
  while (closers.length > 0) await closers.pop()?.()
}

/** Throws if a kind of which there is one is provided in this very scope already. A child scope may replace it. */
function refuseSecond(scope: Scope, kind: Kind<unknown>, title: string): void {
  if (kind.arity !== 'one' || !scope.isRegistered(kind.token)) return
  throw new AttuneError(
    'ALREADY_PROVIDED',
    `${title}: this scope has a ${kind.name} already, and a run takes one`,
    `Provide one ${kind.name} only, or replace it in a child scope: createScope(parent).`,
  )
}

/**
 * Registers a plugin with its options under its kind. Options are checked now; the instance is made when it is first
 * asked for. One that needs others is made once for each scope that asks, of what that scope provides; one that needs
 * nothing is made once.
 * @param refine applies the options that every plugin of the kind takes: a loss's weight, a metric's task
 * @throws AttuneError `BAD_OPTIONS`; `ALREADY_PROVIDED` for a second plugin of a kind of which there is one.
 */
export function provide<T, S extends OptionsSchema, N extends Needs>(
  scope: Scope,
  plugin: Plugin<T, S, N>,
  options?: z.input<S>,
  refine: (instance: T) => T = (instance) => instance,
): void {
  refuseSecond(scope, plugin.kind, titleOf(plugin))
  const create = (asker: Scope): T => {
    const instance = refine(instantiate(asker, plugin, options))
    const close = (instance as { close?: () => unknown } | undefined)?.close
    if (typeof close === 'function') closersOf(asker).push(() => close.call(instance))
    return instance
  }
  const made = new Map<Scope, T>()
  const factory = (container: Scope): T => {
    const asker = plugin.needs === undefined ? scope : (askersOf(scope).at(-1) ?? container)
    if (!made.has(asker)) {
      made.set(asker, create(asker))
      closersOf(asker).push(() => made.delete(asker))
    }
    return made.get(asker) as T
  }
  parseOptions(plugin, options)
  scope.register(plugin.kind.token, { useFactory: factory })
}

/** Makes an instance of a plugin of what a scope provides, without registering it. */
export function instantiate<T, S extends OptionsSchema, N extends Needs>(
  scope: Scope,
  plugin: Plugin<T, S, N>,
  options?: unknown,
): T {
  const make = plugin as unknown as (options: unknown, given: Injected<N>) => T
  const given = Object.entries(plugin.needs ?? {}).map(([name, needed]) => [name, getNeeded(scope, needed)])
  return make(options, Object.fromEntries(given) as Injected<N>)
}

/** Registers an instance that exists already (a model that was loaded, a fake in a test). */
export function provideInstance<T>(scope: Scope, kind: Kind<T>, instance: T): void {
  refuseSecond(scope, kind, `${kind.name} (an instance)`)
  scope.register(kind.token, { useValue: instance })
}

const getNeeded = (scope: Scope, needed: Kind<unknown>): unknown =>
  needed.arity === 'one' ? get(scope, needed) : getAll(scope, needed)

/**
 * The instance of a kind of which a run takes one.
 * @throws AttuneError `NOTHING_PROVIDED` if neither this scope nor a parent provides it.
 */
export function get<T>(scope: Scope, kind: Kind<T>): T {
  if (scope.isRegistered(kind.token, true)) return asking(scope, () => scope.resolve<T>(kind.token))
  throw new AttuneError(
    'NOTHING_PROVIDED',
    `no ${kind.name} is provided in this scope`,
    `Call provide(scope, <a ${kind.name} plugin>), or name one in the configuration: "${kind.name}: { use: … }".`,
  )
}

/** All instances of a kind: the parents' first, each scope's in the order in which they were provided. */
export function getAll<T>(scope: Scope, kind: Kind<T>): readonly T[] {
  const provided = (at: Scope): readonly T[] => {
    const inherited = at.isRegistered(PARENT) ? provided(at.resolve<Scope>(PARENT)) : []
    return at.isRegistered(kind.token) ? [...inherited, ...at.resolveAll<T>(kind.token)] : inherited
  }
  return asking(scope, () => provided(scope))
}
