import type { AnyPlugin } from '@attune/core'

/** A plugin for the suite of its kind, with the expected failures. */
export interface Specimen {
  /** Its defect, unique among the specimens of a kind; for a valid plugin, what it is. */
  readonly what: string
  /** Titles of the tests that must fail, while all others pass; empty for a valid plugin. */
  readonly fails: readonly string[]
  readonly run: () => void
}

/** A valid plugin, the smallest real technique of its kind. */
export const valid = (what: string, run: () => void): Specimen => ({ what, fails: [], run })

/** A plugin with one defect. */
export const broken = (what: string, fails: readonly string[], run: () => void): Specimen => ({ what, fails, run })

/**
 * Returns a plugin whose instances are those of a valid one, changed by `change`, which also gets the options as given. `manifest`
 * overrides fields of the manifest.
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

/** Returns a plugin that replaces invalid options by `fallback` instead of rejecting them. */
export function unchecked(plugin: AnyPlugin, fallback: Readonly<Record<string, unknown>> = {}): AnyPlugin {
  const make = (options?: unknown, given?: unknown): unknown =>
    plugin(plugin.options.safeParse(options ?? {}).success ? options : fallback, given)
  return Object.defineProperty(Object.assign(make, plugin), 'name', { value: plugin.name }) as AnyPlugin
}

/** Titles of the tests that an {@link unchecked} plugin must fail. */
export const uncheckedFails = (values: number): readonly string[] => [
  'rejects an unknown option by name',
  `rejects each of ${values} out-of-bounds values with the name of the option`,
]
