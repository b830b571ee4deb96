import { createRequire } from 'node:module'
import { coerce, satisfies } from 'semver'
import { packageAt } from './module-entry.js'

/** Returns the version of the installed `@attune/core`, from its package.json. */
export const coreVersion = (): string =>
  String(packageAt(createRequire(import.meta.url).resolve('@attune/core'))?.version)

/**
 * True if an npm version range (`^0.1.0`, `~1.2`, `>=1 <3`, `1.x || 2.x`) includes a version. The pre-release tag is ignored:
 * 0.2.0-beta.1 counts as 0.2.0.
 */
export const admits = (range: string, version: string): boolean => satisfies(coerce(version) ?? version, range)
