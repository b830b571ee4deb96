import { AttuneError, type Origin, excerpt } from '@attune/core'
import { coreVersion } from '@attune/resolve'
import { formatList } from './refuse-changes.js'

/** A recorded or current package; both fields are undefined for a plugin without a package. */
type Package = Pick<Origin, 'package' | 'version'>

/** Difference between the recorded and the current version of a plugin or of core. */
export interface VersionChange {
  /** Description: `metric accuracy: @attune/metric-accuracy 0.1.0 → 0.1.1`. */
  readonly change: string
  /** True if only the patch number of the same package differs, which a run may ignore. */
  readonly isPatch: boolean
}

const RELEASE = /^(\d+\.\d+)\.\d+$/

/** Major and minor number of a release; undefined for anything else, such as a pre-release. */
const seriesOf = (version: string | undefined): string | undefined => RELEASE.exec(version ?? '')?.[1]

/** A name or version from a record, quoted if it is malformed. */
const quoted = (text: string): string => (/^[\w@./+-]{1,100}$/.test(text) ? text : excerpt(text))

const packageText = ({ package: name, version }: Package): string =>
  name === undefined ? 'no package' : `${quoted(name)} ${version === undefined ? 'without a version' : quoted(version)}`

/** Difference between two versions of a plugin; undefined if there is none. */
export function versionChange(title: string, recorded: Package, now: Package): VersionChange | undefined {
  const isSamePackage = recorded.package === now.package
  if (isSamePackage && recorded.version === now.version) return undefined
  const series = seriesOf(recorded.version)
  return {
    change: `${title}: ${packageText(recorded)} → ${isSamePackage && now.version !== undefined ? quoted(now.version) : packageText(now)}`,
    isPatch: isSamePackage && series !== undefined && series === seriesOf(now.version),
  }
}

/** Difference between the recorded and the running version of core; older runs have no recorded version. */
export const coreChange = (recorded: string | undefined): VersionChange | undefined =>
  versionChange(
    'core',
    { package: '@attune/core', ...(recorded === undefined ? {} : { version: recorded }) },
    { package: '@attune/core', version: coreVersion() },
  )

/** Version differences of a resumed run, accepted or reported as warnings. */
export interface VersionDecision {
  readonly accepted: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Handles version differences: accepts all of them if `accepts` is true; otherwise patch differences become warnings.
 * @throws AttuneError `VERSIONS_CHANGED` with all differences, if one is more than a patch and they are not accepted
 */
export function handleVersions(
  directory: string,
  versions: readonly VersionChange[],
  accepts: boolean,
): VersionDecision {
  const changes = versions.map(({ change }) => change)
  if (accepts) return { accepted: changes, warnings: [] }
  if (versions.every(({ isPatch }) => isPatch))
    return {
      accepted: [],
      warnings: changes.map((change) => `different patch version than at the start of the run: ${change}`),
    }
  throw new AttuneError(
    'VERSIONS_CHANGED',
    `the run in ${directory} was started with other versions:\n${formatList(changes)}`,
    `Install the recorded versions, or accept the current ones: npx attune train --resume ${directory} --accept-versions`,
  )
}
