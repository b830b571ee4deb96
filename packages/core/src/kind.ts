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
  /** Never present: carries the instance type for the compiler. */
  readonly instance?: T
}

/** Makes a kind. The token comes from the global symbol registry, so two copies of this package agree on it. */
export function kind<T>(name: string, arity: 'one'): Kind<T, 'one'>
export function kind<T>(name: string, arity: 'chain'): Kind<T, 'chain'>
export function kind<T>(name: string, arity: 'many'): Kind<T, 'many'>
export function kind<T>(name: string, arity: Arity): Kind<T> {
  return { name, arity, token: Symbol.for(`attune/${name}`) }
}
