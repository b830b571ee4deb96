import { type AnyPlugin, isPlugin } from './plugin.js'

/** What a plugin was asked for by, and what that led to. */
export interface Origin {
  readonly specifier: string
  /** The package's own name, which is another one than the specifier's for an alias; absent for a module that is in no package. */
  readonly package?: string
  readonly version?: string
  /** The module's file, where the plugin is not one of the installation: found by a path, a package or in a local folder. */
  readonly path?: string
}

/** A plugin and where it came from. */
export interface Found {
  readonly plugin: AnyPlugin
  readonly origin: Origin
}

/** Tells a {@link Found} from a plugin and from a name. */
export const isFound = (value: unknown): value is Found =>
  typeof value === 'object' && value !== null && 'origin' in value && isPlugin((value as Found).plugin)
