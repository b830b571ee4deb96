import type { AnyPlugin } from '@attune/core'

/** A plugin given to the suite of its kind. */
export interface Specimen {
  /** What is wrong with it, in words of which no two specimens of a kind have the same. */
  readonly what: string
  /** The titles of the tests that must fail, while all others pass; none of a sound plugin. */
  readonly fails: readonly string[]
  readonly run: () => void
}

/** A plugin as it should be, the smallest real technique of its kind. */
export const sound = (what: string, run: () => void): Specimen => ({ what, fails: [], run })

/** A plugin that is wrong in one way. */
export const broken = (what: string, fails: readonly string[], run: () => void): Specimen => ({ what, fails, run })

/**
 * A plugin whose instances are those of a sound one, changed; `change` is also told the options as they were given. So is
 * its manifest, where there is one.
 */
export function altered<T>(
  plugin: AnyPlugin,
  change: (instance: T, given: unknown) => unknown,
  manifest: Readonly<Record<string, unknown>> = {},
): AnyPlugin {
  const { name = plugin.name, ...carried } = manifest
  const make = (options?: unknown, given?: unknown): unknown => change(plugin(options, given) as T, options)
  return Object.defineProperty(Object.assign(make, plugin, carried), 'name', { value: name }) as AnyPlugin
}

/** A plugin that goes on with other options where it should refuse those it is given. */
export function unchecked(plugin: AnyPlugin, otherwise: Readonly<Record<string, unknown>> = {}): AnyPlugin {
  const make = (options?: unknown, given?: unknown): unknown =>
    plugin(plugin.options.safeParse(options ?? {}).success ? options : otherwise, given)
  return Object.defineProperty(Object.assign(make, plugin), 'name', { value: plugin.name }) as AnyPlugin
}

/** The titles of the tests that an {@link unchecked} plugin must fail. */
export const uncheckedFails = (values: number): readonly string[] => [
  'refuses an option it does not know, and names it',
  `refuses each of ${values} values beyond a bound, and names the option`,
]
