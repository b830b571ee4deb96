import type { z } from 'zod'

/** The schema of options: an object schema, which rejects unknown options. */
export type OptionsSchema = z.ZodObject

type Extra = { readonly options?: OptionsSchema }

/**
 * Number of plugins of a kind in a run: exactly `one`, a `chain` applied in the order written, or `many` independent ones.
 */
export type Arity = 'one' | 'chain' | 'many'

/** A kind of plugin: the interface of its instances (`T`), the number of them in a run, and their injection token. */
export interface Kind<T, A extends Arity = Arity> {
  /** The name of the kind in configuration files and in package names. */
  readonly name: string
  readonly arity: A
  readonly token: symbol
  /** Options common to all plugins of the kind, in addition to their own; read by the run, not by the plugin. */
  readonly options?: OptionsSchema
  /** Phantom field, never present: carries the instance type. */
  readonly instance?: T
}

/** Creates a kind. Its token comes from the global symbol registry, so that several copies of this package share it. */
export function kind<T>(name: string, arity: 'one', extra?: Extra): Kind<T, 'one'>
export function kind<T>(name: string, arity: 'chain', extra?: Extra): Kind<T, 'chain'>
export function kind<T>(name: string, arity: 'many', extra?: Extra): Kind<T, 'many'>
export function kind<T>(name: string, arity: Arity, extra?: Extra): Kind<T> {
  return { name, arity, token: Symbol.for(`attune/${name}`), ...extra }
}
