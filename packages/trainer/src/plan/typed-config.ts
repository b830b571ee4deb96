import type { CommonOptions, NamedPlugins, OptionsSchema } from '@attune/core'
import type { z } from 'zod'

/** Input types of an object schema's fields, without those that a loose schema lets through. */
type InputOf<S> = S extends { readonly shape: infer H } ? { readonly [O in keyof H]: z.input<H[O]> } : never

type CommonOf<K> = K extends keyof CommonOptions ? InputOf<CommonOptions[K]> : Record<never, never>

/** The plugin that `use` names or is, as far as the compiler knows it. */
type PluginOf<K extends string, U> = U extends { readonly options: OptionsSchema }
  ? U
  : U extends string
    ? `${K} ${U}` extends keyof NamedPlugins
      ? NamedPlugins[`${K} ${U}`]
      : undefined
    : undefined

/** The declared type of an option; a string that the compiler has widened is checked when the run starts. */
type TypedValue<T, V> = string extends V ? (string extends T ? T : T | V) : T

/** Each option with its declared type; an unknown option has type `never`. */
type TypedOptions<K extends string, P, U> = P extends { readonly options: infer S }
  ? {
      readonly [O in keyof U]: O extends 'use'
        ? U[O]
        : O extends keyof InputOf<S>
          ? TypedValue<InputOf<S>[O], U[O]>
          : O extends keyof CommonOf<K>
            ? TypedValue<CommonOf<K>[O], U[O]>
            : never
    }
  : U

/** A part of a configuration that uses a plugin of kind `K`, with the options that this plugin takes. */
type TypedUse<K extends string, U> = U extends { readonly use: infer N } ? TypedOptions<K, PluginOf<K, N>, U> : U

type TypedUses<K extends string, U> = U extends readonly unknown[]
  ? { readonly [I in keyof U]: TypedUse<K, U[I]> }
  : TypedUse<K, U>

type TypedRecord<K extends string, R> = R extends object ? { readonly [N in keyof R]: TypedUse<K, R[N]> } : R

/** Keys of a configuration that hold uses of one kind by name, and that kind. */
interface Records {
  readonly data: 'source'
  readonly models: 'model'
  readonly schedule: 'scheduler'
}

/**
 * A configuration whose options have the types that their plugins declare: of plugins given as imported values, and of those that are
 * named and whose modules are imported ({@link NamedPlugins}). Names that the compiler does not know are checked when the run starts.
 */
export type TypedConfig<C> = {
  readonly [K in keyof C]: K extends keyof Records
    ? TypedRecord<Records[K], C[K]>
    : K extends string
      ? TypedUses<K, C[K]>
      : C[K]
}
