import type { z } from 'zod'

/** The schema of options: an object, so that an unknown option is an error. */
export type OptionsSchema = z.ZodObject

type Extra = { readonly options?: OptionsSchema }

/**
 * How many plugins of a kind a run takes: exactly `one`, a `chain` applied in written order, or `many` side by side.
 */
export type Arity = 'one' | 'chain' | 'many'

/** A kind of plugin: what its instances do (`T`), how many a run takes, and the token they are injected by. */
export interface Kind<T, A extends Arity = Arity> {
  /** The word for this kind in configuration files and in package names. */
  readonly name: string
  readonly arity: A
  readonly token: symbol
  /** Options that every plugin of the kind takes beside its own; the run reads them, not the plugin. */
  readonly options?: OptionsSchema
  /** Never present: carries the instance type for the compiler. */
  readonly instance?: T
}

/** Makes a kind. The token comes from the global symbol registry, so two copies of this package agree on it. */
export function kind<T>(name: string, arity: 'one', extra?: Extra): Kind<T, 'one'>
export function kind<T>(name: string, arity: 'chain', extra?: Extra): Kind<T, 'chain'>
export function kind<T>(name: string, arity: 'many', extra?: Extra): Kind<T, 'many'>
export function kind<T>(name: string, arity: Arity, extra?: Extra): Kind<T> {
  return { name, arity, token: Symbol.for(`attune/${name}`), ...extra }
}
