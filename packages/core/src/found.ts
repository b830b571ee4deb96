import { type AnyPlugin, isPlugin } from './plugin.js'

/** The specifier of a plugin, and the module it resolved to. */
export interface Origin {
  readonly specifier: string
  /** The package's own name, which differs from the specifier for an alias; absent for a module outside a package. */
  readonly package?: string
  readonly version?: string
  /** The module's file, if the plugin is not part of the installation: given by a path or a package, or found in a local folder. */
  readonly path?: string
}

/** A resolved plugin with its origin. */
export interface Found {
  readonly plugin: AnyPlugin
  readonly origin: Origin
}

/** True for a {@link Found}, as opposed to a plugin or a name. */
export const isFound = (value: unknown): value is Found =>
  typeof value === 'object' && value !== null && 'origin' in value && isPlugin((value as Found).plugin)
