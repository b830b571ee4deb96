import { AttuneError, type Origin, excerpt } from '@attune/core'
import { coreVersion } from '@attune/resolve'
import { listed } from './refuse-changes.js'

/** A package as a run recorded it, or as it is now; both fields undefined for a plugin that is in no package. */
type Package = Pick<Origin, 'package' | 'version'>

/** A difference between the recorded version of a plugin, or of core, and the one that is there now. */
export interface VersionChange {
  /** In words: `metric accuracy: @attune/metric-accuracy 0.1.0 → 0.1.1`. */
  readonly change: string
  /** True if the package is the same and only the patch number differs, which a run may ignore. */
  readonly isPatch: boolean
}

const RELEASE = /^(\d+\.\d+)\.\d+$/

/** Major and minor number of a release; undefined for anything else, such as a pre-release. */
const seriesOf = (version: string | undefined): string | undefined => RELEASE.exec(version ?? '')?.[1]

/** A name or version that a record states, which may be any text. */
const shown = (text: string): string => (/^[\w@./+-]{1,100}$/.test(text) ? text : excerpt(text))

const packageText = ({ package: name, version }: Package): string =>
  name === undefined ? 'no package' : `${shown(name)} ${version === undefined ? 'without a version' : shown(version)}`

/** The difference between two versions of a plugin, if there is one. */
export function versionChange(title: string, recorded: Package, now: Package): VersionChange | undefined {
  const isSamePackage = recorded.package === now.package
  if (isSamePackage && recorded.version === now.version) return undefined
  const series = seriesOf(recorded.version)
  return {
    change: `${title}: ${packageText(recorded)} → ${isSamePackage && now.version !== undefined ? shown(now.version) : packageText(now)}`,
    isPatch: isSamePackage && series !== undefined && series === seriesOf(now.version),
  }
}

/** The difference between the recorded version of core and the running one; a run of before versions were recorded has none. */
export const coreChange = (recorded: string | undefined): VersionChange | undefined =>
  versionChange(
    'core',
    { package: '@attune/core', ...(recorded === undefined ? {} : { version: recorded }) },
    { package: '@attune/core', version: coreVersion() },
  )

/** How a resumed run takes differences between versions. */
export interface VersionsTaken {
  readonly accepted: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Decides on differences between versions: all are accepted where the user says so; else another patch is a warning.
 * @throws AttuneError `VERSIONS_CHANGED` with all differences, if one is more than another patch and they are not accepted
 */
export function takeVersions(directory: string, versions: readonly VersionChange[], accepts: boolean): VersionsTaken {
  const changes = versions.map(({ change }) => change)
  if (accepts) return { accepted: changes, warnings: [] }
  if (versions.every(({ isPatch }) => isPatch))
    return { accepted: [], warnings: changes.map((change) => `another patch than the run was started with: ${change}`) }
  throw new AttuneError(
    'VERSIONS_CHANGED',
    `the run in ${directory} was started with other versions:\n${listed(changes)}`,
    `Install the recorded versions again, or go on with those that are there now: attune train --resume ${directory} --accept-versions`,
  )
}
